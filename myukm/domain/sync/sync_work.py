"""The work of a lane's job, whatever way it ends."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, current_app

from myukm import stopping
from myukm.domain.sync import guard, sync_run
from myukm.domain.sync.lane import DATABASE_AWAY, Lane
from myukm.domain.sync.lane_desk import has_pending
from myukm.extensions import db


def work(run_id: int) -> None:
    """Work on the run until no student is left, it stops, or this job's time is over."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with counting_crashes(run_id), rare_collections():
        asyncio.run(Lane(app, run_id).work())
        sync_run.advance(run_id)
        if guard.must_wait(run_id):
            stopping.requested.wait(guard.PAUSE.total_seconds())
            sync_run.advance(run_id)
            asyncio.run(Lane(app, run_id).work())
    sync_run.advance(run_id)
    if has_pending(db.session(), run_id):
        sync_run.queue_next(run_id)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the garbage collector look less often.

    A lane makes and drops the parts of thousands of answers, none of them in a cycle, and all its
    requests would wait for each look.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def counting_crashes(run_id: int) -> Iterator[None]:
    """Count a failure against the run, so that a job that can't work is not tried for ever."""
    try:
        yield
    except DATABASE_AWAY:
        raise
    except Exception:
        sync_run.note_crash(run_id)
        raise
