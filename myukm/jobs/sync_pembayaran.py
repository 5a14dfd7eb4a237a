"""The jobs of the payment sync."""

from rq import get_current_job

from myukm.domain.sync import sync_dispatch, sync_queue, sync_student, sync_work
from myukm.jobs import in_app


@in_app
def dispatch_sync_pembayaran(run_id: int) -> int:
    """Write the items of a run and queue its first lane; return how many students it has."""
    with sync_work.counting_crashes(run_id):
        return sync_dispatch.dispatch(run_id)


@in_app
def sync_pembayaran_lane(run_id: int) -> None:
    """Take students of the run until none is left."""
    sync_work.work(run_id)


@in_app
def sync_pembayaran_siswa(idperson: str) -> str:
    """Sync one student now; return what came of it."""
    job = get_current_job()
    requested = job is not None and job.id.startswith(sync_queue.STUDENT)
    return sync_student.sync(idperson, requested=requested)
