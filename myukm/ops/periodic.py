"""Runs periodic tasks: a thread in every web process and in `worker.py`, with leader election.

Twice a second each process runs its local tasks. One process, the leader, also runs the leader
tasks. The leader is elected by a lease in the database (`models/leader.py`). A process is fit to
lead if it reaches Valkey and its clock is right. An unfit leader stops renewing its lease, so that
a fit process takes over; if no process is fit, an unfit one leads.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from itertools import count

from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from myukm.db import clock
from myukm.db.session import execute_rowcount, transaction
from myukm.db.types import utcnow
from myukm.domain.standstill import Standstill
from myukm.errors import DomainError
from myukm.extensions import db, valkey
from myukm.logs.outages import Outage
from myukm.models import LeaderLease
from myukm.ops.host_reports import MAX_SKEW_SECONDS

TICK_SECONDS, LEAD_EVERY = 0.5, 2
LEASE_SECONDS = 5.0
# A leader that has been unfit for `UNFIT_SECONDS` stops renewing its lease. A lease that no fit
# process took within `ABANDONED_SECONDS` goes to an unfit one, for `UNFIT_LEASE_SECONDS`.
UNFIT_SECONDS, ABANDONED_SECONDS, UNFIT_LEASE_SECONDS = 5.0, 8.0, 30.0
# `leads()` returns None if the lease was last read longer ago.
FRESH_SECONDS = 6.0

logger = logging.getLogger(__name__)

Task = Callable[[], None]


class PeriodicRunner:
    """Calls `local_tasks` twice a second in each process, `leader_tasks` once a second in the
    leader."""

    def __init__(self, app: Flask, local_tasks: list[Task], leader_tasks: list[Task]) -> None:
        self.app, self.local_tasks, self.leader_tasks = app, local_tasks, leader_tasks
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self.stopped = threading.Event()
        self._lapsed: Standstill[str] = Standstill(LEASE_SECONDS)
        self._abandoned: Standstill[str] = Standstill(ABANDONED_SECONDS)
        self._renews_until = 0.0  # while unfit
        self._last_answer = (0.0, False)
        self._outages: dict[Callable[[], bool | None], Outage] = {}

    def stop(self) -> None:
        """Stop the thread; it ends within a second."""
        self.stopped.set()

    def _run(self) -> None:
        for tick in count(1):
            if self.stopped.wait(TICK_SECONDS):
                return
            for task in self.local_tasks:
                self._do(task)
            if tick % LEAD_EVERY == 0 and self._lead():
                for task in self.leader_tasks:
                    self._do(task)

    def _lead(self) -> bool:
        leads = self._do(self._is_leader)
        if leads is not None:
            self._last_answer = (time.monotonic(), leads)
        return bool(leads)

    def leads(self) -> bool | None:
        """Return whether this process is the leader; None if that has been unknown for a while,
        because the database does not answer."""
        at, leads = self._last_answer
        return leads if time.monotonic() - at < FRESH_SECONDS else None

    def _do(self, task: Callable[[], bool | None]) -> bool | None:
        with self.app.app_context():
            try:
                result = task()
            except (SQLAlchemyError, RedisError, OSError, DomainError) as error:
                self._outage(task).failed(error)
                return None
            except Exception as error:  # noqa: BLE001 (logged; the other tasks go on)
                self._outage(task).failed(error, trace=True)
                return None
            self._outage(task).worked()
            return result

    def _outage(self, task: Callable[[], bool | None]) -> Outage:
        if task not in self._outages:
            name = f"{task.__module__.removeprefix('myukm.')}.{task.__qualname__}"
            self._outages[task] = Outage(logger, f"periodic task {name}")
        return self._outages[task]

    def _is_leader(self) -> bool:
        """Renew the lease, or take it over if its heartbeat has stopped; return whether this
        process now holds it."""
        holder, heartbeat = db.session.execute(
            select(LeaderLease.holder, LeaderLease.heartbeat)
        ).one()
        if not self._may_take(holder, heartbeat):
            return False
        with transaction() as session:
            taken = execute_rowcount(
                session,
                update(LeaderLease)
                .where(LeaderLease.holder == holder, LeaderLease.heartbeat == heartbeat)
                .values(holder=self.holder, heartbeat=heartbeat + 1, led_at=utcnow()),
            )
        return bool(taken)

    def _may_take(self, holder: str, heartbeat: int) -> bool:
        """Return whether this process may renew the lease, or take it over because its heartbeat
        has stopped."""
        lapsed, now = bool(self._lapsed.of({holder: heartbeat})), time.monotonic()
        abandoned = bool(self._abandoned.of({holder: heartbeat}))
        if holder != self.holder and not lapsed and not abandoned:
            return False
        if _is_fit():
            self._renews_until = now + UNFIT_SECONDS
            return lapsed or holder == self.holder
        if abandoned:
            self._renews_until = now + UNFIT_LEASE_SECONDS
        return abandoned or (holder == self.holder and now < self._renews_until)


def _is_fit() -> bool:
    """Return whether this process reaches Valkey and its clock is right."""
    try:
        return abs(clock.skew()) <= MAX_SKEW_SECONDS and bool(valkey().ping())
    except RedisError:
        return False
