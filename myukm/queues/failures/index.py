"""The index of failed jobs by kind, brought up to date in portions.

A failure is indexed when the leader sees it in RQ's registry, whichever worker ran the job: the
newest ones every second, the others while it scans the registry in portions.
"""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

import redis
from redis.client import Pipeline
from rq.job import Job
from rq.results import Result

from myukm.extensions import valkey
from myukm.queues.failures import keys
from myukm.queues.failures.client import patient_client
from myukm.queues.failures.kinds import OTHERS, Kind, kind
from myukm.queues.job_summaries import trace_text

NEWEST, PORTION, MAX_GROUPS = 200, 1000, 200
# Deletes the groups without jobs, because they would take room for ever; returns how many are left.
# A script, because another process may index the first job of such a group at this moment.
DELETE_EMPTY_GROUPS = """
for _, group in ipairs(redis.call('HKEYS', KEYS[1])) do
  if redis.call('EXISTS', ARGV[1] .. group) == 0 then redis.call('HDEL', KEYS[1], group) end
end
return redis.call('HLEN', KEYS[1])
"""


class Cursor(NamedTuple):
    """Cursors of two scans: of the registry, compared with the index, and of the index (`jobs`),
    compared with the registry. 0: at the start."""

    registry: int = 0
    jobs: int = 0


def is_up_to_date(queue: str) -> bool:
    """Return whether the index has as many failures as the registry, and its newest failure.

    Raises RedisError.
    """
    with valkey().pipeline(transaction=False) as pipe:
        pipe.zcard(keys.registry(queue))
        pipe.hlen(keys.jobs(queue))
        pipe.zrevrange(keys.registry(queue), 0, 0)
        count, known, newest = pipe.execute()
    return bool(count == known and all(valkey().hexists(keys.jobs(queue), each) for each in newest))


def refresh_newest(queue: str) -> None:
    """Index the newest failures. Raises RedisError."""
    newest = cast(list[bytes], valkey().zrevrange(keys.registry(queue), 0, NEWEST - 1))
    _add_missing(valkey(), queue, newest)


def refresh(queue: str, cursor: Cursor) -> Cursor:
    """Compare the next portion of each scan; return the next cursor.

    A scan that has reached its end has the cursor 0. Raises RedisError.
    """
    client = patient_client()
    following, entries = cast(
        tuple[int, list[tuple[bytes, float]]],
        client.zscan(keys.registry(queue), cursor.registry, count=PORTION),
    )
    _add_missing(client, queue, [job_id for job_id, _score in entries])
    jobs_following, known = cast(
        tuple[int, dict[bytes, bytes]],
        client.hscan(keys.jobs(queue), cursor.jobs, count=PORTION),
    )
    _remove_obsolete(client, queue, known)
    return Cursor(following, jobs_following)


def refresh_all(queue: str) -> None:
    """Index all failures of a queue. Raises RedisError."""
    registry = jobs = False
    cursor = Cursor()
    while not (registry and jobs):
        cursor = refresh(queue, cursor)
        registry, jobs = registry or not cursor.registry, jobs or not cursor.jobs


def _add_missing(client: redis.Redis, queue: str, ids: list[bytes]) -> None:
    if not ids:
        return
    known = cast(list[Any], client.hmget(keys.jobs(queue), ids))
    missing = [job_id for job_id, group in zip(ids, known, strict=True) if group is None]
    if not missing:
        return
    known_groups = keys.groups(queue)
    room = MAX_GROUPS - int(client.eval(DELETE_EMPTY_GROUPS, 1, known_groups, keys.members(queue)))
    with client.pipeline(transaction=False) as pipe:
        failures = list(_failures(pipe, missing))
        pipe.hkeys(known_groups)
        groups = {group.decode() for group in pipe.execute()[0]}
    with client.pipeline() as pipe:
        for job_id, failed_at, own in failures:
            group = own if own.id in groups or room > 0 else OTHERS
            room -= group.id not in groups
            groups.add(group.id)
            pipe.hset(known_groups, group.id, json.dumps(group))
            pipe.hset(keys.jobs(queue), job_id, group.id)
            pipe.zadd(keys.members(queue, group.id), {job_id: failed_at})
        pipe.execute()


def _failures(pipe: Pipeline, ids: Iterable[bytes]) -> Iterator[tuple[bytes, float, Kind]]:
    """Yield the time and the kind of each job's failure, from the last entry of its results."""
    ids = list(ids)
    for job_id in ids:
        pipe.hget(Job.key_for(job_id.decode()), "description")
        pipe.xrevrange(Result.get_key(job_id.decode()), count=1)
    answers = pipe.execute()
    for job_id, text, rows in zip(ids, answers[::2], answers[1::2], strict=True):
        entry, fields = rows[0] if rows else (b"", {})
        description = (text or b"").decode(errors="replace")
        failed_at = int(entry.split(b"-")[0]) / 1000 if entry else time.time()
        yield job_id, failed_at, kind(description, trace_text(fields))


def _remove_obsolete(client: redis.Redis, queue: str, known: dict[bytes, bytes]) -> None:
    """Remove from the index those of the `known` jobs (each with its group) that are no longer in
    the registry."""
    if not known:
        return
    scores = cast(list[Any], client.zmscore(keys.registry(queue), [key.decode() for key in known]))
    with client.pipeline() as pipe:
        for (job_id, group), score in zip(known.items(), scores, strict=True):
            if score is None:
                pipe.hdel(keys.jobs(queue), job_id)
                pipe.zrem(keys.members(queue, group.decode()), job_id)
        pipe.execute()
