"""A lane: one job that asks the payment API for many students at once, and writes them down.

The loop asks; one thread beside it writes, so that the database never stalls the fetching. Each
turn of that thread (four a second) writes what came, claims more, and shows that the lane lives.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from flask import Flask
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from myukm import stopping
from myukm.domain.api.asking import Asking
from myukm.domain.api.student import Outcome, Student
from myukm.domain.sync import progress, sync_queue, sync_run
from myukm.domain.sync.lane_desk import Desk, LaneLost, Turn
from myukm.domain.sync.student_desk import StudentDesk, ask
from myukm.models.sync import Status

TURN_SECONDS, LAST_TURN_SECONDS, GLANCE_SECONDS = 0.25, 0.1, 0.02
LONGEST_LIFE, LONGEST_SILENCE, LONGEST_FAREWELL = 180.0, 60.0, 15.0
MOST_CLAIMED = 2000
DATABASE_AWAY = (OperationalError, InterfaceError, NoConnection)

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


class Lane:
    """Works on run `run_id` until no student is left, the run stops, or its own time is over."""

    def __init__(self, app: Flask, run_id: int) -> None:
        self._app, self._run_id = app, run_id
        lane_id = secrets.token_hex(16)
        self._desk, self._students = Desk(run_id, lane_id), StudentDesk(lane_id)
        self._width: int = app.config["PEMBAYARAN_API_CONCURRENCY"]
        self._per_second = 0.0
        self._dry = self._told = self._followed = self._away = self._requests = False
        self._give_up_at: float | None = None

    async def work(self) -> None:
        """Work to the end. Raises what made going on impossible."""
        with ThreadPoolExecutor(1, thread_name_prefix="lane-desk") as self._thread:
            if not await self._beside(self._desk.open):
                return
            loop = asyncio.get_running_loop()
            self._clock = loop.time
            self._turned = self._reached = loop.time()
            life = min(self._app.config["SYNC_JOB_TIMEOUT"] / 2, LONGEST_LIFE)
            self._deadline = loop.time() + life
            async with Asking(self._app.config, self._width) as asking:
                self._desk.traffic = asking.traffic
                await self._work(asking)

    async def _work(self, asking: Asking) -> None:
        try:
            while True:
                await self._turn(asking)
                if self._over(asking):
                    break
                await self._until_next_turn(asking)
        except LaneLost:
            log.warning("run %d: this lane was given up for dead and leaves", self._run_id)
            return
        except BaseException:
            await self._leave(asking)
            raise
        await self._leave(asking)

    async def _turn(self, asking: Asking) -> None:
        """Let the database have its turn; when it is away, keep the outcomes and try again."""
        asking.check()
        asking.judge.review(idle=self._dry and asking.idle)
        outcomes, want = asking.take_done(), self._want(asking)
        refused = None if self._leaving else asking.judge.refused
        self._measure(len(outcomes))
        try:
            await self._serve(asking, outcomes)
            own = [outcome for outcome in outcomes if not outcome.requested]
            turn = await self._beside(self._desk_turn, own, want, refused)
        except DATABASE_AWAY as error:
            asking.take_back(outcomes)
            self._away = True
            if self._clock() - self._reached > LONGEST_SILENCE:
                raise
            log.warning("run %d: the database does not answer: %s", self._run_id, error)
            return
        self._reached, self._away = self._clock(), False
        asking.throttle.pace.workers = max(1, turn.workers)
        self._requests = turn.requests
        asking.give(turn.students)
        self._dry = len(turn.students) < want
        self._see_whether_to_stop(asking, turn)
        await self._beside(self._spread, bool(outcomes), want == len(turn.students) > 0)

    async def _serve(self, asking: Asking, outcomes: Sequence[Outcome]) -> None:
        """See to the single students that people asked for; there are seldom any."""
        answered = [outcome for outcome in outcomes if outcome.requested]
        claim = self._requests and not self._leaving
        if answered or claim or self._students.in_hand:
            ask(asking, await self._beside(self._students.turn, answered, claim=claim))

    def _desk_turn(self, outcomes: Sequence[Outcome], want: int, refused: str | None) -> Turn:
        """The turn itself, in the thread of the database."""
        if refused:
            sync_run.pause_refused(self._run_id, refused)
        return self._desk.turn(outcomes, want)

    def _spread(self, moved: bool, more: bool) -> None:
        """Tell how it stands, and once let another worker join when there is more to do."""
        try:
            if more and not self._followed:
                self._followed = sync_queue.queue_lane(self._run_id)
            self._told = (self._told and not moved) or progress.tell()
        except DATABASE_AWAY as error:
            log.warning("run %d: the progress is not told: %s", self._run_id, error)

    @property
    def _leaving(self) -> bool:
        """Whether the lane only waits for its last answers: a refusal among them is old news."""
        return self._give_up_at is not None

    def _want(self, asking: Asking) -> int:
        """How many students to claim: about one second's worth at hand, and little at first."""
        if self._leaving:
            return 0
        least = (4 if asking.open else 2) * self._width
        return max(0, min(max(least, round(self._per_second)), MOST_CLAIMED) - asking.stock)

    def _measure(self, done: int) -> None:
        elapsed = max(self._clock() - self._turned, 0.001)
        self._turned = self._clock()
        rate = done / elapsed
        self._per_second = max(rate, (self._per_second + rate) / 2)

    def _see_whether_to_stop(self, asking: Asking, turn: Turn) -> None:
        if self._leaving:
            return
        # A refusal that came during the turn is no reason yet: the next turn pauses the run for it.
        if turn.status != Status.RUNNING or self._clock() > self._deadline:
            asking.stop()
            self._give_up_at = self._clock() + self._app.config["PEMBAYARAN_API_TIMEOUT"]

    def _over(self, asking: Asking) -> bool:
        if stopping.requested.is_set():
            return True
        if self._give_up_at is not None:
            return not asking.in_flight or self._clock() > self._give_up_at
        return self._dry and not asking.open

    async def _until_next_turn(self, asking: Asking) -> None:
        """Sleep until a turn is due, or sooner: to claim more, and to write the last answers."""
        due, soon = self._turned + TURN_SECONDS, self._turned + LAST_TURN_SECONDS
        while self._clock() < due and not stopping.requested.is_set():
            hungry = asking.stock < 2 * self._width and not self._dry
            last = self._dry and asking.has_done and self._clock() > soon
            if not self._away and not self._leaving and (hungry or last or not asking.open):
                return
            await asyncio.sleep(GLANCE_SECONDS)

    async def _leave(self, asking: Asking) -> None:
        """Write what is done and give the rest back, if the database lets us within a while."""
        asking.stop()
        done, deadline = asking.take_done(), self._clock() + LONGEST_FAREWELL
        while True:
            try:
                return await self._beside(self._close, done, list(asking.open.values()))
            except DATABASE_AWAY:
                if stopping.requested.is_set() or self._clock() > deadline:
                    raise
            await asyncio.sleep(TURN_SECONDS)

    def _close(self, done: Sequence[Outcome], unfinished: Sequence[Student]) -> None:
        self._students.turn([outcome for outcome in done if outcome.requested])
        self._students.close()
        own = [outcome for outcome in done if not outcome.requested]
        self._desk.close(own, [student for student in unfinished if not student.requested])

    async def _beside(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that uses the database in the thread beside the loop."""

        def run() -> T:
            with self._app.app_context():
                return function(*args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)
