"""Jobs that no worker will ever take: gone from every list, deleted, or deadly to their worker.

Fields are read and written without RQ, because RQ may be unable to read them, which is one reason
why a job kills its worker.
"""

import logging
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple, cast
from zlib import compress

from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.results import Result

from myukm.db.types import utcnow
from myukm.extensions import valkey
from myukm.queues.backlogs import moment
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import FAILURE_SECONDS, QUEUES
from myukm.queues.restricted_job import RestrictedJob

LOST_AFTER = timedelta(seconds=60)
# A job fails, instead of being put back, when it has killed its worker so many times. The count
# expires an hour after the last time.
MAX_DEATHS, DEATHS_TTL_SECONDS = 3, 3600
SCAN_COUNT = 1000
JOB_PREFIX = Job.redis_job_namespace_prefix

logger = logging.getLogger(__name__)


class Trouble(NamedTuple):
    """A job that no worker will take. `kind` is `dequeued` (but not begun), `ghost` (also
    deleted) or `lost` (queued, but in no list)."""

    kind: str
    queue: str
    job_id: str


class Outcome(StrEnum):
    """What became of a job in trouble."""

    PUT_BACK = "put back"
    REMOVED = "removed"
    FAILED = "failed"


def dequeued() -> Iterator[Trouble]:
    """Yield the jobs that a worker has dequeued, but not begun; `ghost` if they are deleted."""
    for name in QUEUES:
        source = get_queue(name)
        ids = set(source.intermediate_queue.get_job_ids())
        begun = set(source.started_job_registry.get_job_ids(cleanup=False)) if ids else set()
        for job_id in ids - begun:
            exists = valkey().exists(Job.key_for(job_id))
            yield Trouble("dequeued" if exists else "ghost", name, job_id)


def lost(keys: Iterable[bytes]) -> Iterator[Trouble]:
    """Yield the jobs that have the status queued, but are in no list of their queue, among the jobs
    with these keys."""
    keys = list(_in_no_list(_not_ended(keys)))
    with valkey().pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hmget(key, "status", "origin", "enqueued_at")
        rows = zip(keys, pipe.execute(), strict=True)
    queued = [
        Trouble("lost", origin.decode(), key.decode().removeprefix(JOB_PREFIX))
        for key, (status, origin, at) in rows
        if status == b"queued" and origin and origin.decode() in QUEUES and _is_old(at)
    ]
    lists = {name: _listed(name) for name in {each.queue for each in queued}}
    gone = [each for each in queued if each.job_id not in lists[each.queue]]
    return iter(_still_queued(gone))


def _still_queued(gone: Sequence[Trouble]) -> list[Trouble]:
    """Return the jobs whose status is still queued, because a job that a worker has begun meanwhile
    is rightly in no list."""
    with valkey().pipeline(transaction=False) as pipe:
        for each in gone:
            pipe.hget(Job.key_for(each.job_id), "status")
        return [each for each, now in zip(gone, pipe.execute(), strict=True) if now == b"queued"]


def _not_ended(keys: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the keys of jobs that are in no registry of failed or finished jobs. This leaves few,
    because most jobs have ended, and takes one command for each registry."""
    by_id = {key.decode().removeprefix(JOB_PREFIX): key for key in keys}
    if not by_id:
        return
    with valkey().pipeline(transaction=False) as pipe:
        for name in QUEUES:
            source = get_queue(name)
            for registry in (source.failed_job_registry, source.finished_job_registry):
                pipe.zmscore(registry.key, list(by_id))
        scores = pipe.execute()
    for key, *found in zip(by_id.values(), *scores, strict=True):
        if not any(score is not None for score in found):
            yield key


def _in_no_list(keys: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the keys of jobs that wait in no queue now. The lists are read completely, because that
    takes fewer commands than one for each job. A job may be moving between two lists at this
    moment, so the caller checks the yielded jobs again."""
    if not (by_id := {key.decode().removeprefix(JOB_PREFIX): key for key in keys}):
        return
    waiting = set().union(*map(_listed, QUEUES))
    for job_id, key in by_id.items():
        if job_id not in waiting:
            yield key


def portion(cursor: int) -> tuple[int, list[bytes]]:
    """Return the cursor for the next portion (0 after the last one) and some jobs' keys."""
    found = valkey().scan(cursor, f"{JOB_PREFIX}*", SCAN_COUNT)
    following, keys = cast(tuple[int, list[bytes]], found)
    return following, keys


def heal(trouble: Trouble) -> Outcome | None:
    """Put a job back, remove a ghost, or fail a job that killed its workers; return None if the job
    was no longer in trouble."""
    source = get_queue(trouble.queue)
    taken = source.intermediate_queue.key
    if trouble.kind != "lost" and not valkey().lrem(taken, 1, trouble.job_id):
        return None
    if trouble.kind == "ghost":
        outcome = Outcome.REMOVED
    elif _is_deadly(trouble.job_id):
        outcome = Outcome.FAILED
        text = f"PoisonJob: its worker ended {MAX_DEATHS} times when it took this job"
        _fail(trouble.queue, trouble.job_id, text)
    else:
        outcome = Outcome.PUT_BACK
        source.push_job_id(trouble.job_id, at_front=True)
    logger.warning("%s job %s of %s: %s", trouble.kind, trouble.job_id, trouble.queue, outcome)
    return outcome


def _is_deadly(job_id: str) -> bool:
    key = f"myukm:job:returned:{job_id}"
    times = int(valkey().incr(key))
    valkey().expire(key, DEATHS_TTL_SECONDS)
    return times >= MAX_DEATHS


def fail_unreadable(name: str) -> None:
    """Fail the jobs of queue `name` that RQ cannot read and whose worker died while running
    them."""
    registry = get_queue(name).started_job_registry
    for entry in cast(list[bytes], valkey().zrangebyscore(registry.key, 0, time.time())):
        job_id = registry.parse_job_id(entry.decode())
        try:
            RestrictedJob.fetch(job_id, connection=valkey())
        except NoSuchJobError:
            continue
        except RedisError:
            raise
        except Exception as error:  # noqa: BLE001 (whatever RQ says of a damaged hash)
            logger.warning("job %s cannot be read, it fails: %r", job_id, error)
            _fail(name, job_id, "UnreadableJob: its worker died, and its data are damaged")
            valkey().zrem(registry.key, entry)


def _fail(name: str, job_id: str, text: str) -> None:
    """Record a job as failed with this error text, without reading it."""
    trace = b64encode(compress(text.encode())).decode()
    kind = str(Result.Type.FAILED.value)
    result = {"created_at": str(int(time.time())), "type": kind, "exc_string": trace}
    with valkey().pipeline() as pipe:
        pipe.hset(Job.key_for(job_id), "status", "failed")
        failed = get_queue(name).failed_job_registry.key
        pipe.zadd(failed, {job_id: time.time() + FAILURE_SECONDS})
        pipe.xadd(Result.get_key(job_id), result)  # type: ignore[arg-type]
        pipe.execute()


def _listed(name: str) -> set[str]:
    source = get_queue(name)
    return {*source.get_job_ids(), *source.intermediate_queue.get_job_ids()}


def _is_old(enqueued_at: bytes | None) -> bool:
    since = moment(enqueued_at)
    return since is None or since < utcnow() - LOST_AFTER
