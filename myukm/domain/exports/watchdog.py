"""Watchdog of exports, run by the leader: releases dead holders' exports, enqueues missing jobs."""

from collections.abc import Collection, Iterator

from rq.job import Job
from sqlalchemy import select

from myukm.db.session import release_connection
from myukm.domain.exports import store
from myukm.domain.holders import LOST_SECONDS, HolderWatchdog, OpenRow
from myukm.extensions import db, valkey
from myukm.models import Export
from myukm.models.export import OPEN_EXPORTS

# A holder sends a heartbeat twice a second, but may wait for database locks.
HOLDER_TIMEOUT = 20.0  # seconds
# Statuses of an RQ job that waits or runs.
UNFINISHED = (b"queued", b"started", b"scheduled", b"deferred")


def of_exports(lost_seconds: float = LOST_SECONDS) -> HolderWatchdog:
    """Return a watchdog, which keeps its state between rounds. An export whose job has been missing
    for `lost_seconds` gets a new job."""
    return HolderWatchdog(_rows, store.expire_holder, _jobless, store.enqueue_job, lost_seconds)


def _rows() -> Iterator[OpenRow]:
    columns = (Export.id, Export.holder, Export.heartbeat)
    query = select(*columns).where(Export.state.in_(OPEN_EXPORTS)).order_by(Export.id)
    for row in db.session.execute(query).all():
        yield OpenRow(*row, HOLDER_TIMEOUT)


def _jobless(export_ids: Collection[int]) -> list[int]:
    query = select(Export).where(Export.id.in_(export_ids))
    exports = db.session.scalars(query.execution_options(populate_existing=True))
    jobs = {export.id: export.job_id for export in exports}
    release_connection()
    with valkey().pipeline(transaction=False) as pipe:
        for job_id in jobs.values():
            pipe.hget(Job.key_for(job_id), "status")
        states = pipe.execute()
    return [each for each, state in zip(jobs, states, strict=True) if state not in UNFINISHED]
