"""Paused queues in Valkey: their waiting jobs are in another list, which no worker reads.

RQ cannot pause one queue. So the jobs of a paused queue wait in a parking list, where our own
enqueueing puts new ones too; jobs that other programs enqueue are moved there by the leader. Every
move is one script, so a kill leaves each job in exactly one list. The database decides which queues
are paused (`domain/queue_pauses.py`); the copy here is written again when Valkey lost it.
"""

from collections.abc import Sequence
from typing import Any, cast

import redis
from rq.job import Job
from rq.queue import Queue
from rq.results import Result

# A hash with, for each queue, the generation of its last change; and with a field named like the
# queue while the queue is paused.
STATE = "myukm:paused"

# A generation lower than the applied one is stale: a later change has been applied already.
APPLY = """
local queue, parking, state = KEYS[1], KEYS[2], KEYS[3]
local name, generation, paused, force = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local known = redis.call('HGET', state, name .. ':generation')
if known and tonumber(generation) < tonumber(known) and force ~= '1' then return 0 end
redis.call('HSET', state, name .. ':generation', generation)
if paused == '1' then
  redis.call('HSET', state, name, 1)
  if redis.call('EXISTS', queue) == 1 and redis.call('EXISTS', parking) == 0 then
    redis.call('RENAME', queue, parking)
  end
  while redis.call('LMOVE', queue, parking, 'LEFT', 'RIGHT') do end
else
  redis.call('HDEL', state, name)
  if redis.call('EXISTS', parking) == 1 and redis.call('EXISTS', queue) == 0 then
    redis.call('RENAME', parking, queue)
  end
  while redis.call('LMOVE', parking, queue, 'RIGHT', 'LEFT') do end
end
return 1
"""
PUSH = """
local paused = redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1
return redis.call(ARGV[3], paused and KEYS[2] or KEYS[1], ARGV[2])
"""
# Puts back a job that a worker has taken, before the first waiting job that was enqueued later.
PUT_BACK = """
local prefix, id = ARGV[3], ARGV[2]
local list = redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 and KEYS[2] or KEYS[1]
local own = redis.call('HGET', prefix .. id, 'enqueued_at') or ''
for _, other in ipairs(redis.call('LRANGE', list, 0, 99)) do
  if own <= (redis.call('HGET', prefix .. other, 'enqueued_at') or '') then
    return redis.call('LINSERT', list, 'BEFORE', other, id)
  end
end
return redis.call('RPUSH', list, id)
"""
# In portions, because Valkey serves nobody else while a script runs.
EMPTY = """
local count = 0
for _, key in ipairs(KEYS) do
  local left = tonumber(ARGV[1]) - count
  for _, id in ipairs(left > 0 and redis.call('LPOP', key, left) or {}) do
    redis.call('UNLINK', ARGV[2] .. id, ARGV[2] .. id .. ':dependents', ARGV[3] .. id)
    count = count + 1
  end
end
return count
"""
PORTION = 1000


def parking_key(name: str) -> str:
    """Return the key of the list in which the jobs of a paused queue wait."""
    return f"myukm:parking:{name}"


def apply(
    client: redis.Redis, name: str, generation: int, *, paused: bool, force: bool = False
) -> bool:
    """Pause or resume a queue, or park the jobs that were enqueued in spite of its pause.

    Returns False, and does nothing, for a generation older than the applied one, unless `force`.
    Raises RedisError.
    """
    values = (name, generation, int(paused), int(force))
    return bool(client.eval(APPLY, 3, *_keys(name), *values))


def resumed(client: redis.Redis, names: Sequence[str]) -> dict[str, int]:
    """Return the generation of each queue that is not paused. Raises RedisError.

    Returns {} while any of these queues still has parked jobs, because its resumption is not
    complete.
    """
    state = cast(dict[bytes, bytes], client.hgetall(STATE))
    moving = [name for name in names if name.encode() not in state]
    if moving and client.exists(*map(parking_key, moving)):
        return {}
    found = {name: state.get(f"{name}:generation".encode()) for name in moving}
    return {name: int(number) for name, number in found.items() if number is not None}


def is_paused(client: redis.Redis, name: str) -> bool | None:
    """Return whether a queue is paused; None if Valkey does not know. Raises RedisError."""
    paused, known = cast(list[Any], client.hmget(STATE, [name, f"{name}:generation"]))
    return None if known is None else paused is not None


def put_back(client: Any, name: str, job_id: str) -> None:
    """Return a job that a worker has taken to its place among the waiting jobs.

    `client` may be a pipeline. Raises RedisError.
    """
    client.eval(PUT_BACK, 3, *_keys(name), name, job_id, Job.redis_job_namespace_prefix)


class PausableQueue(Queue):
    """A queue whose jobs wait in its parking list while it is paused."""

    @property
    def parking(self) -> str:
        """The key of its parking list."""
        return parking_key(self.name)

    def push_job_id(self, job_id: str, pipeline: Any = None, at_front: bool = False) -> None:
        """Add a job to the waiting jobs; one script checks for a pause and adds the job."""
        client = self.connection if pipeline is None else pipeline
        command = "LPUSH" if at_front else "RPUSH"
        client.eval(PUSH, 3, *_keys(self.name), self.name, job_id, command)

    def get_job_ids(self, offset: int = 0, length: int = -1) -> list[str]:
        """Return the ids of the waiting jobs in their order."""
        with self.connection.pipeline() as pipe:
            pipe.lrange(self.parking, 0, -1 if length < 0 else offset + length - 1)
            pipe.lrange(self.key, 0, -1 if length < 0 else offset + length - 1)
            ids = [job_id.decode() for keys in pipe.execute() for job_id in keys]
        return ids[offset:] if length < 0 else ids[offset : offset + length]

    @property
    def count(self) -> int:
        """The number of waiting jobs."""
        with self.connection.pipeline() as pipe:
            pipe.llen(self.parking)
            pipe.llen(self.key)
            return sum(pipe.execute())

    def empty(self) -> int:
        """Delete the waiting jobs and return how many there were."""
        count = 0
        prefixes = Job.redis_job_namespace_prefix, Result.get_key("")
        while deleted := self.connection.eval(EMPTY, 2, self.parking, self.key, PORTION, *prefixes):
            count += int(cast(int, deleted))
        return count

    def remove(self, job_or_id: Job | str, pipeline: Any = None) -> Any:
        """Remove a waiting job."""
        job_id = job_or_id if isinstance(job_or_id, str) else job_or_id.id
        client = self.connection if pipeline is None else pipeline
        client.lrem(self.parking, 1, job_id)
        return client.lrem(self.key, 1, job_id)


def _keys(name: str) -> tuple[str, str, str]:
    return f"{Queue.redis_queue_namespace_prefix}{name}", parking_key(name), STATE
