"""An operator's actions on queues: list and retry failed jobs, clear a queue."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext as _
from rq.exceptions import InvalidJobOperation, NoSuchJobError

from myukm.errors import Conflict, NotFound
from myukm.extensions import valkey
from myukm.queues.enqueue import get_queue
from myukm.queues.job_summaries import failure_row, load_jobs, load_traces
from myukm.queues.jobs import QUEUES
from myukm.queues.restricted_job import RestrictedJob


def failed_ids(name: str) -> list[str]:
    """Return the ids of a queue's failed jobs, newest first."""
    ids = get_queue(name).failed_job_registry.get_job_ids(desc=True, cleanup=False)
    return [str(job_id) for job_id in ids]


def failed_rows(most: int) -> list[dict[str, Any]]:
    """Return up to `most` failed jobs, newest first: id, job, queue, error and time."""
    ids = [job for name in QUEUES for job in failed_ids(name)[:most]]
    with valkey().pipeline(transaction=False) as pipe:
        jobs, traces = load_jobs(pipe, ids), load_traces(pipe, ids)
    rows = [failure_row(key, fields, traces[key]) for key, fields in jobs.items() if fields]
    return sorted(rows, key=lambda row: row["at"] or "", reverse=True)[:most]


def retry(job_ids: Iterable[str]) -> int:
    """Requeue failed jobs and return how many.

    Raises `NotFound` for a job that does not exist and `Conflict` for one that has not failed; the
    jobs before it are requeued by then.
    """
    count = 0
    for job_id in job_ids:
        try:
            job = RestrictedJob.fetch(job_id, connection=valkey())
            get_queue(job.origin).failed_job_registry.requeue(job)
        except NoSuchJobError:
            raise NotFound(_("Tidak ada pekerjaan %(id)s.", id=job_id)) from None
        except InvalidJobOperation:
            raise Conflict(_("Pekerjaan %(id)s tidak gagal.", id=job_id)) from None
        count += 1
    return count


def clear_waiting(name: str) -> int:
    """Delete the waiting jobs of a queue and return how many there were."""
    return int(get_queue(name).empty() or 0)


def clear_failed(name: str) -> int:
    """Delete the failed jobs of a queue and return how many there were."""
    registry = get_queue(name).failed_job_registry
    ids = failed_ids(name)
    for job_id in ids:
        registry.remove(job_id, delete_job=True)
    return len(ids)
