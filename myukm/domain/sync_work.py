"""The work of a lane's job, whatever way it ends."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, current_app

from myukm.domain import sync_run
from myukm.domain.lane import DATABASE_AWAY, Lane
from myukm.domain.lane_desk import has_pending
from myukm.extensions import db


def work(run_id: int) -> None:
    """Work on the run until no student is left, it stops, or this job's time is over."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with counting_crashes(run_id):
        asyncio.run(Lane(app, run_id).work())
    sync_run.advance(run_id)
    if has_pending(db.session(), run_id):
        sync_run.queue_next(run_id)


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
