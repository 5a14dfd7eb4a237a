"""Queue statistics, as `flask queue monitor`, the queues page and the metrics show them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

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
            _ask_queue(pipe, name, now)
        rows = dict(zip(QUEUES, _chunks(pipe.execute(), len(QUEUES)), strict=True))
        seen = [job_id(key) for row in rows.values() for keys in row[:3] for key in keys]
        failed = [job_id(key) for row in rows.values() for key in row[2]]
        jobs = load_jobs(pipe, dict.fromkeys([*seen, *_at_work(state.workers)]))
        traces = load_traces(pipe, failed)
    return {
        "queues": [_queue(name, state, rows[name], now) for name in QUEUES],
        "workers": [_worker(worker, jobs, now) for worker in state.workers],
        "latest_jobs": newest_of_each_kind(
            job_row(key, fields) for key, fields in jobs.items() if fields
        ),
        "latest_failures": newest(failure_row(key, jobs[key], why) for key, why in traces.items()),
    }


def _ask_queue(pipe: Pipeline, name: str, now: datetime) -> None:
    here = get_queue(name)
    pipe.zrange(here.started_job_registry.key, 0, SHOWN - 1)
    pipe.zrevrange(here.finished_job_registry.key, 0, SHOWN - 1)
    pipe.zrevrange(here.failed_job_registry.key, 0, SHOWN - 1)
    pipe.zcard(here.started_job_registry.key)
    counters.queue_reads(pipe, name, now)


def _queue(name: str, state: QueueSnapshot, row: list[Any], now: datetime) -> dict[str, Any]:
    waiting = state.backlogs[name]
    return {
        "name": name,
        "waiting": waiting.count,
        "oldest_seconds": None if waiting.seconds is None else round(waiting.seconds, 1),
        "running": row[3],
        **counters.parse(row[4:], now)._asdict(),
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
