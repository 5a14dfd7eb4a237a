"""Calls that arrive together are executed as one batch."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from myukm.live.batcher import Batcher
from tests.support.no_threads import no_thread
from tests.support.waiting import wait_until


def test_calls_that_arrive_during_a_batch_share_the_next_one() -> None:
    batches: list[list[int]] = []
    go = threading.Event()

    def double(numbers: Sequence[int]) -> list[int]:
        batches.append(list(numbers))
        assert go.wait(10)
        return [2 * number for number in numbers]

    batch = Batcher(double)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(batch.ask, 0, 10)
        wait_until(lambda: batches, 10, "the first batch runs")
        rest = [pool.submit(batch.ask, number, 10) for number in range(1, 9)]
        wait_until(lambda: len(batch._waiting) == 8, 10, "the others wait")
        go.set()
        assert [each.result() for each in (first, *rest)] == [2 * n for n in range(9)]
    assert [len(numbers) for numbers in batches] == [1, 8]


def test_an_error_fails_its_batch_and_not_the_next_one() -> None:
    batch = Batcher(lambda numbers: [1 // number for number in numbers])
    with pytest.raises(ZeroDivisionError):
        batch.ask(0, 10)
    assert batch.ask(1, 10) == 1


def test_a_call_after_a_missing_answer_is_answered() -> None:
    batch = Batcher(lambda numbers: [number for number in numbers if number])
    with pytest.raises(ValueError, match="shorter"):
        batch.ask(0, 10)
    assert batch.ask(1, 10) == 1


def test_a_call_after_a_thread_that_could_not_start_is_answered() -> None:
    batch = Batcher(list[int])
    with pytest.MonkeyPatch.context() as system:
        system.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError):
            batch.ask(1, 10)
    assert batch.ask(2, 10) == 2
