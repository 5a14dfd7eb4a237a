"""Batches calls: questions that arrive within some milliseconds are answered by one call."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")

GATHER_SECONDS = 0.02
MAX_TOGETHER = 50  # questions in a batch; more would let other requests wait for long


class Batcher(Generic[Question, Answer]):
    """Collects questions while `answer(questions)` runs, and then for `GATHER_SECONDS` more.

    `answer` is called in a thread, one call at a time, and returns the answers in the questions'
    order.
    """

    def __init__(self, answer: Callable[[Sequence[Question]], Sequence[Answer]]) -> None:
        self._answer = answer
        self._waiting: list[tuple[Question, Future[Answer]]] = []
        self._running = False
        self._lock = threading.Lock()

    def ask(self, question: Question, timeout: float) -> Answer:
        """Return the answer to one question. Raises what `answer` raised, `TimeoutError` if its
        turn did not come within `timeout` seconds, or `RuntimeError` if no thread can start."""
        future: Future[Answer] = Future()
        with self._lock:
            if not self._running:  # the thread waits for this lock, so both lines below run first
                threading.Thread(target=self._run, name="batcher", daemon=True).start()
                self._running = True
            self._waiting.append((question, future))
        try:
            return future.result(timeout)
        except TimeoutError:
            if future.cancel():
                raise
            return future.result()

    def _run(self) -> None:
        while batch := self._gather():
            asked = [entry for entry in batch if entry[1].set_running_or_notify_cancel()]
            try:
                answers = self._answer([question for question, _ in asked])
                answered = list(zip(asked, answers, strict=True))
            except Exception as error:  # noqa: BLE001 (raised again in every call that waits)
                for _, future in asked:
                    future.set_exception(error)
                continue
            for (_, future), answer in answered:
                future.set_result(answer)

    def _gather(self) -> list[tuple[Question, Future[Answer]]]:
        time.sleep(GATHER_SECONDS)
        with self._lock:
            batch, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
            self._running = bool(batch)
        return batch
