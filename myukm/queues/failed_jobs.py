"""An operator's actions on queues: list, retry and discard failed jobs, clear a queue."""

from collections.abc import Iterable
from typing import Any, cast

from flask_babel import gettext as _
from rq.exceptions import NoSuchJobError

from myukm.errors import Conflict, NotFound
from myukm.extensions import valkey
from myukm.queues.enqueue import get_queue
from myukm.queues.failures import actions, keys
from myukm.queues.job_summaries import failure_row, load_jobs, load_traces
from myukm.queues.jobs import QUEUES
from myukm.queues.restricted_job import RestrictedJob


def newest_ids(name: str, most: int) -> list[str]:
    """Return the ids of a queue's latest failed jobs, newest first."""
    ids = cast(list[bytes], valkey().zrevrange(keys.registry(name), 0, most - 1))
    return [job_id.decode() for job_id in ids]


def failed_rows(most: int) -> list[dict[str, Any]]:
    """Return up to `most` failed jobs, newest first: id, job, queue, error and time."""
    ids = [job for name in QUEUES for job in newest_ids(name, most)]
    with valkey().pipeline(transaction=False) as pipe:
        jobs, traces = load_jobs(pipe, ids), load_traces(pipe, ids)
    rows = [failure_row(key, fields, traces[key]) for key, fields in jobs.items() if fields]
    return sorted(rows, key=lambda row: row["at"] or "", reverse=True)[:most]


def retry(job_ids: Iterable[str]) -> int:
    """Requeue failed jobs and return how many.

    Raises `NotFound` for a job that does not exist and `Conflict` for one that has not failed; then
    nothing is requeued, unless another retry or discard comes at the same moment.
    """
    return _each(actions.RETRY, job_ids)


def discard(job_ids: Iterable[str]) -> int:
    """Delete failed jobs and return how many; raises as `retry`."""
    return _each(actions.DISCARD, job_ids)


def queue_of(job_id: str) -> str:
    """Return the queue that a job belongs to; raises `NotFound` if there is no such job."""
    try:
        key = RestrictedJob(job_id, connection=valkey()).key
    except (NoSuchJobError, ValueError):
        raise NotFound(_("Tidak ada pekerjaan %(id)s.", id=job_id)) from None
    origin = cast(bytes | None, valkey().hget(key, "origin"))
    if origin is None:
        raise NotFound(_("Tidak ada pekerjaan %(id)s.", id=job_id))
    return origin.decode(errors="replace")


def clear_waiting(name: str) -> int:
    """Delete the waiting jobs of a queue and return how many there were."""
    return get_queue(name).empty()


def _each(action: str, job_ids: Iterable[str]) -> int:
    queues = {job_id: queue_of(job_id) for job_id in job_ids}
    for job_id, name in queues.items():
        if valkey().zscore(keys.registry(name), job_id) is None:
            raise _not_failed(job_id)
    for job_id, name in queues.items():
        [outcome] = actions.act_on(name, action, [job_id])
        if outcome < 0:
            raise NotFound(_("Tidak ada pekerjaan %(id)s.", id=job_id))
        if outcome == 0:
            raise _not_failed(job_id)
    return len(queues)


def _not_failed(job_id: str) -> Conflict:
    return Conflict(_("Pekerjaan %(id)s tidak gagal.", id=job_id))
