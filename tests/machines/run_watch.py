"""A run of the sync during a fault, and checks of its progress."""

import threading
import time
from contextlib import suppress
from itertools import pairwise
from typing import Any, Self

from sqlalchemy.exc import SQLAlchemyError

from myukm.domain.sync import commands
from tests.machines.campus import Machines
from tests.support.sync import TREASURER, adds_up, check_numbers, progress_of
from tests.support.waiting import wait_until

STUDENTS = 300


class RunWatch:
    """A run of about `seconds` seconds; a thread polls its progress."""

    def __init__(self, machines: Machines, seconds: float) -> None:
        self.machines = machines
        # Two workers with 32 requests in flight each.
        self.latency = seconds * 64 / STUDENTS * 1000
        self.polled: list[tuple[float, dict[str, Any]]] = []
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> Self:
        self.machines.api.set(latency_ms=f"{self.latency:.0f}")
        self.machines.api.advance(1.0)
        with self.machines.app.app_context():
            commands.start(TREASURER)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        if not error[0]:
            self.machines.api.set(latency_ms="0")
            wait_until(lambda: self.polled[-1][1]["status"] == "completed", 90, "the run ends")
            print(f"run: at most {self.longest_gap():.1f} s without progress")
        self.ended.set()
        self._thread.join(30)

    def _poll(self) -> None:
        while not self.ended.wait(0.2):
            with suppress(SQLAlchemyError):  # the database is away
                self.polled.append((time.monotonic(), progress_of(self.machines.app)))

    def wait_processed(self, count: int) -> None:
        """Wait until `count` students are processed."""
        wait_until(
            lambda: self.polled and self.polled[-1][1]["processed"] >= count,
            60,
            f"{count} students",
        )

    def longest_gap(self) -> float:
        """Return the longest time without progress, in seconds."""
        moments = [self.polled[0][0]]
        for (_, before), (moment, now) in pairwise(self.polled):
            if now["processed"] > before["processed"]:
                moments.append(moment)
        return max(after - before for before, after in pairwise(moments))

    def broken_promises(self) -> list[str]:
        """Return the promises that were broken: sums that add up, every student once."""
        last = self.polled[-1][1]
        found = [f"do not add up: {now}" for _, now in self.polled if not adds_up(now)]
        if (last["total"], last["success"]) != (STUDENTS, STUDENTS):
            found.append(f"not all: {last}")
        with self.machines.app.app_context():
            check_numbers(last)
        return found
