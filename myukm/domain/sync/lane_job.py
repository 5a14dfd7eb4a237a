"""What the jobs of a run do: a lane, and the dispatch, which continues as the first lane."""

import asyncio
import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import Flask, current_app

from myukm import shutdown
from myukm.db.availability import is_unavailable
from myukm.db.session import release_connection
from myukm.domain.sync import anomaly_guard, dispatching, lifecycle
from myukm.domain.sync.lane import Lane
from myukm.queues.job_heartbeats import sending_heartbeats

# How many new objects start the garbage collector. A lane's objects live until the next turn and
# form no cycles, so with the default threshold it would scan all of them for nothing.
MANY_OBJECTS = 10_000


def run_first_lane(run_id: int) -> int:
    """Write the run's items, then work on them; return the number of items.

    Returns 0 if another job has written the items, or if there are no students. One job does both
    steps, because plain `rq worker` imports the program again for each job.
    """
    with record_crashes(run_id):
        total = dispatching.dispatch(run_id)
    if total:
        run_lane(run_id)
    return total


def run_lane(run_id: int) -> None:
    """Work on the run until no student is left, it stops, or this job's time is over."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    with record_crashes(run_id):
        asyncio.run(_work(app, run_id))
        lifecycle.advance(run_id)
        if anomaly_guard.must_wait(run_id):
            release_connection()
            shutdown.requested.wait(anomaly_guard.PAUSE.total_seconds())
            lifecycle.advance(run_id)
            asyncio.run(_work(app, run_id))
    lifecycle.drive(run_id)


async def _work(app: Flask, run_id: int) -> None:
    release_connection()  # the lane uses its own; this one would stay idle in a transaction
    with rare_garbage_collection():
        async with sending_heartbeats(app.extensions["valkey"], hung_seconds(app.config)):
            await Lane(app, run_id).work()


@contextmanager
def rare_garbage_collection() -> Iterator[None]:
    """Start the garbage collector less often inside the block."""
    usual = gc.get_threshold()
    gc.set_threshold(MANY_OBJECTS, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def hung_seconds(settings: Mapping[str, Any]) -> int:
    """Return the seconds after which a silent lane's job counts as hung.

    Longer than `SYNC_LANE_TIMEOUT`, after which other lanes get the lane's students.
    """
    return 2 * int(settings["SYNC_LANE_TIMEOUT"])


@contextmanager
def record_crashes(run_id: int) -> Iterator[None]:
    """Count a crash against the run, so that a broken job is not retried for ever. A database that
    is away is no crash; a statement that it refuses is one."""
    try:
        yield
    except Exception as error:
        if not is_unavailable(error):
            lifecycle.record_crash(run_id)
        raise
