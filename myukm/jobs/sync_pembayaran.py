"""The jobs of the payment sync."""

from rq import get_current_job

from myukm.domain.sync import dispatching, lane_job, queueing, single_student
from myukm.jobs import with_app_context


@with_app_context
def dispatch_sync_pembayaran(run_id: int) -> int:
    """Write the items of a run and queue its first lane; return how many students it has."""
    with lane_job.record_crashes(run_id):
        return dispatching.dispatch(run_id)


@with_app_context
def sync_pembayaran_lane(run_id: int) -> None:
    """Take students of the run until none is left."""
    lane_job.run_lane(run_id)


@with_app_context
def sync_pembayaran_siswa(idperson: str) -> str:
    """Sync one student now; return what came of it."""
    job = get_current_job()
    requested = job is not None and job.id.startswith(queueing.STUDENT)
    return single_student.sync(idperson, requested=requested)
