"""Queue statistics, as `flask queue monitor`, the queues page and the metrics show them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from flask import current_app
from redis.client import Pipeline
from redis.exceptions import RedisError

from myukm.cache import ttl_cache
from myukm.db.types import to_iso8601, utcnow
from myukm.extensions import valkey
from myukm.queues import counters
from myukm.queues.enqueue import get_queue
from myukm.queues.job_summaries import (
    SHOWN,
    Fields,
    failure_row,
    job_id,
    job_row,
    load_jobs,
    load_traces,
    newest,
    newest_of_each_kind,
)
from myukm.queues.jobs import QUEUES
from myukm.queues.workers import QueueSnapshot, WorkerInfo, snapshot


@ttl_cache(1.0)
def health() -> dict[str, Any]:
    """Return queues, workers and latest jobs as `flask queue monitor --json` prints them.

    Cached for a second. While Valkey is unreachable, `valkey` is false and the lists are empty.
    """
    now = utcnow()
    try:
        return {"at": to_iso8601(now), "valkey": True, **_figures(now)}
    except RedisError:
        lists = ("queues", "workers", "latest_jobs", "latest_failures")
        return {"at": to_iso8601(now), "valkey": False, **{name: [] for name in lists}}


def _figures(now: datetime) -> dict[str, Any]:
    state = snapshot()
    with valkey().pipeline(transaction=False) as pipe:
        for name in QUEUES:
            _query_queue(pipe, name, now)
        rows = dict(zip(QUEUES, _chunks(pipe.execute(), len(QUEUES)), strict=True))
        jobs, traces = _jobs(pipe, [*rows.values()], _at_work(state.workers))
    return {
        "queues": [_queue(name, state, rows[name], now) for name in QUEUES],
        "workers": [_worker(worker, jobs, now) for worker in state.workers],
        "latest_jobs": newest_of_each_kind(
            job_row(key, fields) for key, fields in jobs.items() if fields
        ),
        "latest_failures": newest(failure_row(key, jobs[key], why) for key, why in traces.items()),
    }


class _Ended(NamedTuple):
    """A job that ended. `score` is its score in RQ's registry, which changes if the job runs
    again."""

    score: float
    fields: Fields
    trace: str


def _jobs(
    pipe: Pipeline, rows: Sequence[list[Any]], at_work: Sequence[str]
) -> tuple[dict[str, Fields], dict[str, str]]:
    """Return the fields of the shown jobs, and the tracebacks of the failed jobs, by job id.

    A job that has ended is read once and cached while it is shown, because it does not change.
    """
    ended: dict[str, _Ended] = current_app.extensions.setdefault("ended_jobs", {})
    scores = {job_id(key): at for row in rows for keys in row[1:3] for key, at in keys}
    failed = [job_id(key) for row in rows for key, _at in row[2]]
    for stale in [each for each, job in ended.items() if scores.get(each) != job.score]:
        del ended[stale]
    new = scores.keys() - ended.keys()
    running = [job_id(key) for row in rows for key in row[0][:SHOWN]]
    jobs = load_jobs(pipe, dict.fromkeys([*new, *running, *at_work]))
    traces = load_traces(pipe, [each for each in failed if each in new])
    ended |= {each: _Ended(scores[each], jobs[each], traces.get(each, "")) for each in new}
    shown = {each: ended[each].fields for each in scores}
    return jobs | shown, {each: ended[each].trace for each in failed}


def _query_queue(pipe: Pipeline, name: str, now: datetime) -> None:
    here = get_queue(name)
    pipe.zrange(here.started_job_registry.key, 0, -1)  # at most one job for each worker
    pipe.zrevrange(here.finished_job_registry.key, 0, SHOWN - 1, withscores=True)
    pipe.zrevrange(here.failed_job_registry.key, 0, SHOWN - 1, withscores=True)
    counters.queue_reads(pipe, name, now)


def _queue(name: str, state: QueueSnapshot, row: list[Any], now: datetime) -> dict[str, Any]:
    waiting = state.backlogs[name]
    return {
        "name": name,
        "waiting": waiting.count,
        "paused": waiting.paused,
        "oldest_seconds": None if waiting.seconds is None else round(waiting.seconds, 1),
        "running": len(row[0]),
        **counters.parse(row[3:], now)._asdict(),
        "workers": len(state.workers_for(name)),
    }


def _worker(worker: WorkerInfo, jobs: Mapping[str, Fields], now: datetime) -> dict[str, Any]:
    job = jobs.get(worker.job_id or "", {})
    ago = (
        round(max(0.0, (now - worker.last_heartbeat).total_seconds()), 1)
        if worker.last_heartbeat
        else None
    )
    return {
        "name": worker.name,
        "queues": list(worker.queues),
        "state": worker.state if worker.alive else "dead",
        "job": job.get("description"),
        "heartbeat_seconds_ago": ago,
        "since": to_iso8601(worker.started_at),
        "pid": worker.pid,
        "host": worker.host,
    }


def _at_work(workers: Iterable[WorkerInfo]) -> list[str]:
    return [worker.job_id for worker in workers if worker.job_id]


def _chunks(values: list[Any], count: int) -> list[list[Any]]:
    size = len(values) // count
    return [values[start : start + size] for start in range(0, len(values), size)]
