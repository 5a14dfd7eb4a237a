"""Jobs of the payment sync, on the queue `sync-pembayaran`."""

from rq import get_current_job

from myukm.domain.sync import lane_job, queueing, single_student
from myukm.jobs import with_app_context


@with_app_context
def dispatch_sync_pembayaran(run_id: int) -> int:
    """Insert the items of a run and go on as its first lane; return the number of students."""
    return lane_job.run_first_lane(run_id)


@with_app_context
def sync_pembayaran_lane(run_id: int) -> None:
    """Sync students of the run until none is left or the lane hands over to a new job."""
    lane_job.run_lane(run_id)


@with_app_context
def sync_pembayaran_siswa(idperson: str) -> str:
    """Sync one student now; return the outcome."""
    job = get_current_job()
    requested = job is not None and job.id.startswith(queueing.STUDENT)
    return single_student.sync(idperson, requested=requested)
