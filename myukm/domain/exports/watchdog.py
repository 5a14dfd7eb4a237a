"""Watchdog of exports, run by the leader: frees those of dead holders and enqueues lost jobs."""

from collections.abc import Collection, Iterator

from rq.job import Job
from sqlalchemy import select

from myukm.domain.exports import store
from myukm.domain.holders import LOST_SECONDS, HolderWatchdog, Open
from myukm.extensions import db, valkey
from myukm.models import Export
from myukm.models.export import OPEN_EXPORTS

# A holder beats twice a second, and may have to wait for the database's locks.
HOLDER_SECONDS = 20.0
LIVE = (b"queued", b"started", b"scheduled", b"deferred")


def of_exports(lost_seconds: float = LOST_SECONDS) -> HolderWatchdog:
    """Return the watchdog of one process."""
    return HolderWatchdog(_rows, store.expire_holder, _jobless, store.enqueue_job, lost_seconds)


def _rows() -> Iterator[Open]:
    columns = (Export.id, Export.holder, Export.heartbeat)
    query = select(*columns).where(Export.state.in_(OPEN_EXPORTS)).order_by(Export.id)
    for row in db.session.execute(query).all():
        yield Open(*row, HOLDER_SECONDS)


def _jobless(export_ids: Collection[int]) -> list[int]:
    query = select(Export).where(Export.id.in_(export_ids))
    exports = db.session.scalars(query.execution_options(populate_existing=True))
    jobs = {export.id: export.job_id for export in exports}
    db.session.commit()
    with valkey().pipeline(transaction=False) as pipe:
        for job_id in jobs.values():
            pipe.hget(Job.key_for(job_id), "status")
        states = pipe.execute()
    return [each for each, state in zip(jobs, states, strict=True) if state not in LIVE]
