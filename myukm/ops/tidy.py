"""Jobs that fell between two chairs, because a worker died at the wrong moment.

RQ's workers look for them at their start and every ten minutes; here it is a matter of seconds.
"""

import threading
import time
from collections.abc import Callable

from flask import Flask, current_app
from rq.registry import clean_registries
from sqlalchemy import exists, select

from myukm.extensions import db, valkey
from myukm.models import SyncRun
from myukm.ops import api_probe
from myukm.queues import QUEUES, queue

TIDY_SECONDS, PROBE_SECONDS = 10.0, 30.0


class Tidier:
    """Brings back jobs that a worker took and never began; notes those that died with theirs."""

    def __init__(self) -> None:
        self._seen: set[str] = set()
        self._next = 0.0

    def tidy_queues(self) -> None:
        """Look after each queue, at most every ten seconds."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + TIDY_SECONDS
        between = {name: _taken_not_begun(name) for name in QUEUES}
        for name, jobs in between.items():
            for job_id in jobs & self._seen:
                _put_back(name, job_id)
            clean_registries(queue(name))
        self._seen = set().union(*between.values())


class Prober:
    """Asks the payment API now and then, in a thread: it may take seconds to answer."""

    def __init__(self, probe: Callable[[], object] = api_probe.probe) -> None:
        self._probe = probe
        self._next = 0.0
        self._thread: threading.Thread | None = None

    def probe_api(self) -> None:
        """Start a probe when the last one is done and half a minute old.

        Not during a run: it asks the API itself, within its budget, and says what it meets.
        """
        if time.monotonic() < self._next or (self._thread and self._thread.is_alive()):
            return
        if db.session.scalar(select(exists().where(SyncRun.live.is_not(None)))):
            return
        self._next = time.monotonic() + PROBE_SECONDS
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._run, args=(app,), name="probe", daemon=True)
        self._thread.start()

    def _run(self, app: Flask) -> None:
        with app.app_context():
            self._probe()


def _taken_not_begun(name: str) -> set[str]:
    """Return the jobs that a worker moved aside and did not start."""
    source = queue(name)
    taken = set(source.intermediate_queue.get_job_ids())
    begun = set(source.started_job_registry.get_job_ids(cleanup=False)) if taken else set()
    return taken - begun


def _put_back(name: str, job_id: str) -> None:
    source = queue(name)
    if valkey().lrem(source.intermediate_queue.key, 1, job_id):
        valkey().lpush(source.key, job_id)
