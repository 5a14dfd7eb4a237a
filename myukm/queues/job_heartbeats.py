"""Heartbeats of long jobs: when they stop, the job's process hangs.

RQ's own heartbeat of a job comes from its worker, which goes on sending it while the job hangs.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import redis
from redis.exceptions import RedisError
from rq import get_current_job

from myukm import instruments

HEARTBEAT_SECONDS = 2.0


@contextlib.asynccontextmanager
async def sending_heartbeats(client: redis.Redis, seconds: int) -> AsyncIterator[None]:
    """Send heartbeats while the block runs in a job.

    After `seconds` without a heartbeat the job counts as hung.
    """
    job = get_current_job()
    task = asyncio.create_task(_send(client, job.id, seconds)) if job else None
    try:
        yield
    finally:
        if task:
            task.cancel()


async def _send(client: redis.Redis, job_id: str, seconds: int) -> None:
    while True:
        with contextlib.suppress(RedisError):
            await asyncio.to_thread(client.set, _key(job_id), 1, ex=seconds)
            # Otherwise only the job's end flushes the metrics, and a lane works for minutes.
            await asyncio.to_thread(instruments.flush, client)
        await asyncio.sleep(HEARTBEAT_SECONDS)


def silent(client: redis.Redis, job_ids: Sequence[str]) -> set[str]:
    """Return the jobs without a recent heartbeat."""
    with client.pipeline(transaction=False) as pipe:
        for job_id in job_ids:
            pipe.exists(_key(job_id))
        return {job for job, seen in zip(job_ids, pipe.execute(), strict=True) if not seen}


def _key(job_id: str) -> str:
    return f"myukm:job:beat:{job_id}"
