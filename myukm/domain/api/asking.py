"""The sliding window: so many requests in flight, a new one as soon as one is answered."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from myukm.domain.api.failures import Failure, Kind
from myukm.domain.api.judge import Judge
from myukm.domain.api.payment_api import PaymentApi
from myukm.domain.api.payments import Answer
from myukm.domain.api.student import Outcome, Student
from myukm.domain.api.tasks import end
from myukm.domain.api.throttle import Throttle
from myukm.domain.api.traffic import Traffic

PROBE_GLANCE = 0.1
NOBODY = "-"


class Stock(asyncio.Queue[Student]):
    """The students to ask for next: those whom a person waits for come first."""

    _queue: deque[Student]

    def _put(self, student: Student) -> None:
        if student.requested:
            self._queue.appendleft(student)
        else:
            self._queue.append(student)

    def first(self, student: Student) -> Student:
        """Return who is to be asked for before `student`, in exchange for this one."""
        if self._queue and self._queue[0].requested:
            student, first = self.get_nowait(), student
            self.put_nowait(first)
        return student


class Asking:
    """Asks for the students it is given, `width` at a time. Used as a context manager.

    `open` are the students without an outcome yet, by key. The outcomes wait in `take_done`.
    """

    def __init__(self, settings: Mapping[str, Any], width: int) -> None:
        self.throttle = Throttle(settings)
        self.judge = Judge(
            self.throttle, settings["PEMBAYARAN_API_TRIES"], self._settle, self._again
        )
        self.open: dict[tuple[bool, int], Student] = {}
        self.traffic = Traffic()
        self._api = PaymentApi(settings)
        self._width = width
        self._stock = Stock()
        self._done: list[Outcome] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._in_flight: set[asyncio.Task[Any] | None] = set()
        self._probes: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        await self.throttle.__aenter__()
        self._tasks = [asyncio.create_task(self._ask()) for _ in range(self._width)]
        self._tasks.append(asyncio.create_task(self._probe()))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopped = True
        await end([*self._tasks, *self._probes])
        await self.throttle.__aexit__()
        await self._api.__aexit__()

    @property
    def stock(self) -> int:
        """How many students are at hand to ask for next."""
        return self._stock.qsize()

    @property
    def in_flight(self) -> int:
        """How many requests wait for their answer."""
        return len(self._in_flight)

    @property
    def idle(self) -> bool:
        """Whether nothing more will come of the students given so far by itself."""
        return len(self.open) == self.judge.held

    @property
    def has_done(self) -> bool:
        """Whether outcomes wait in `take_done`."""
        return bool(self._done)

    def give(self, students: Iterable[Student], after: float = 0.0) -> None:
        """Ask for these students as well, in so many seconds."""
        for student in students:
            self.open[student.key] = student
            self._again(student, after)

    def take_done(self) -> list[Outcome]:
        """Return the outcomes since the last call."""
        done, self._done = self._done, []
        return done

    def take_back(self, outcomes: Sequence[Outcome]) -> None:
        """Keep outcomes that could not be written for the next `take_done`."""
        self._done[:0] = outcomes

    def stop(self) -> None:
        """Send no new request; those in flight go on."""
        self._stopped = True
        for task in self._tasks:
            if task not in self._in_flight:
                task.cancel()

    def check(self) -> None:
        """Raise what ended an asker; nothing should before `stop`."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def _ask(self) -> None:
        task = asyncio.current_task()
        while not self._stopped:
            await self.throttle.ready()
            student = await self._stock.get()
            if not await self.throttle.grant():
                self._stock.put_nowait(student)
                continue
            student = self._stock.first(student)
            self._in_flight.add(task)
            try:
                openings = self.throttle.openings
                answer = await self._request(student)
                self.judge.hear(student, answer, openings)
            finally:
                self._in_flight.discard(task)

    async def _probe(self) -> None:
        """While the API counts as down, try it from time to time, now with a student, now without.

        Without: when all that is left are students for whom a healthy API fails.
        """
        with_student = True
        while True:
            await asyncio.sleep(PROBE_GLANCE)
            if self.throttle.is_open and await self.throttle.may_probe():
                student = self._stock.get_nowait() if with_student and self.stock else None
                task = asyncio.create_task(self._try(student))
                self._probes.add(task)
                task.add_done_callback(self._probes.discard)
                with_student = not with_student

    async def _try(self, student: Student | None) -> None:
        answer = await self._request(student)
        alive = not isinstance(answer, Failure) or not (answer.down or answer.kind is Kind.WAIT)
        if alive and self.throttle.is_open:
            self.throttle.close()
        if student and alive:
            self.judge.hear(student, answer, self.throttle.openings)
        elif student:
            self._stock.put_nowait(student)

    async def _request(self, student: Student | None) -> Answer:
        began = time.perf_counter()
        known = (student.idperson, student.etag) if student else (NOBODY, None)
        answer = await self._api.payments(*known)
        again = student is not None and (student.attempts > 0 or student.waited > 0)
        self.traffic.note(time.perf_counter() - began, answer, again=again)
        self.traffic.received = self._api.received
        return answer

    def _settle(self, outcome: Outcome) -> None:
        self.open.pop(outcome.key, None)
        self._done.append(outcome)

    def _again(self, student: Student, delay: float) -> None:
        if delay:
            asyncio.get_running_loop().call_later(delay, self._stock.put_nowait, student)
        else:
            self._stock.put_nowait(student)
