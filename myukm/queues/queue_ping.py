"""Ping and benchmark the queues with no-op jobs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from rq.results import Result

from myukm.errors import Conflict, Unavailable
from myukm.extensions import valkey
from myukm.queues.enqueue import enqueue
from myukm.queues.restricted_job import RestrictedJob

PING = "myukm.jobs.upkeep.ping"
POLL_SECONDS = 0.005
OPEN = ("queued", "started")


@dataclass(frozen=True)
class PingResult:
    """The worker that answered a ping, `seconds` after the ping was enqueued. `worker` is None if
    no worker answered or the job failed."""

    queue: str
    worker: str | None
    seconds: float


def ping(names: Sequence[str], timeout: float) -> list[PingResult]:
    """Enqueue a no-op job in each queue and wait up to `timeout` seconds for the results.

    Jobs without a result by then are deleted. Raises `Unavailable` if Valkey is unreachable.
    """
    begun = time.monotonic()
    open_jobs: dict[str, str] = {}
    answers: dict[str, PingResult] = {}
    try:
        for name in names:
            open_jobs[_dispatch(name)] = name
        while open_jobs and (waited := time.monotonic() - begun) < timeout:
            for job_id, name in list(open_jobs.items()):
                result = RestrictedJob(job_id, connection=valkey()).latest_result()
                if result is not None:
                    answers[name] = PingResult(name, _worker(result), waited)
                    del open_jobs[job_id]
            time.sleep(POLL_SECONDS)
    finally:
        delete_jobs(list(open_jobs))
    silent = {name: PingResult(name, None, timeout) for name in open_jobs.values()}
    return [(answers | silent)[name] for name in names]


def _worker(result: Result) -> str | None:
    """Return the worker that answered; None if the job failed, which is no answer."""
    answered = result.type == Result.Type.SUCCESSFUL
    return str(result.return_value or "?") if answered else None


@dataclass(frozen=True)
class Figures:
    """Result of a benchmark: seconds per job to enqueue, to wait and to run; jobs per second."""

    dispatch: Sequence[float]
    wait: Sequence[float]
    run: Sequence[float]
    jobs_per_second: float


def bench(name: str, count: int, timeout: float) -> Figures | None:
    """Run `count` no-op jobs through a queue; return None if they did not end within `timeout`
    seconds. Raises `Unavailable` if Valkey is unreachable, `Conflict` if a job did not succeed."""
    dispatch: list[float] = []
    ids: list[str] = []
    try:
        for _each in range(count):
            begun = time.perf_counter()
            ids.append(_dispatch(name))
            dispatch.append(time.perf_counter() - begun)
        jobs = _all_ended(ids, timeout)
    finally:
        delete_jobs(ids)
    if jobs is None:
        return None
    if failed := count - sum(job.get_status(refresh=False) == "finished" for job in jobs):
        text = _("%(failed)s dari %(n)s pekerjaan gagal atau hilang.", failed=failed, n=count)
        raise Conflict(text, code="jobs_failed")
    duration = max(job.ended_at for job in jobs) - min(job.enqueued_at for job in jobs)
    return Figures(
        dispatch,
        [(job.started_at - job.enqueued_at).total_seconds() for job in jobs],
        [(job.ended_at - job.started_at).total_seconds() for job in jobs],
        count / max(duration.total_seconds(), 1e-6),
    )


def delete_jobs(job_ids: Sequence[str]) -> None:
    """Delete these jobs in whichever state they are."""
    for job in RestrictedJob.fetch_many(list(job_ids), connection=valkey()):
        if job is not None:
            job.delete()


def _dispatch(name: str) -> str:
    job_id = enqueue(PING, to=name)
    if job_id is None:
        raise Unavailable(_("Valkey tidak menerima pekerjaan."), code="valkey_unreachable")
    return job_id


def _all_ended(ids: Sequence[str], timeout: float) -> list[Any] | None:
    """Wait until all jobs have ended, and return those that still exist; None after `timeout`
    seconds.

    Polls only unfinished jobs, because polling all jobs would load Valkey and distort the result.
    """
    deadline = time.monotonic() + timeout
    ended: list[Any] = []
    open_ids = list(ids)
    while open_ids and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        if RestrictedJob(open_ids[-1], connection=valkey()).get_status() in OPEN:
            continue
        jobs = [job for job in RestrictedJob.fetch_many(open_ids, connection=valkey()) if job]
        open_ids = [job.id for job in jobs if job.get_status(refresh=False) in OPEN]
        ended += [job for job in jobs if job.get_status(refresh=False) not in OPEN]
    return None if open_ids else ended
