"""Retries or discards failed jobs: given jobs, the jobs of one kind, or all of a queue.

Each portion is one script, so after a kill every job is either unchanged, or retried or discarded
completely. An action on many jobs is stored in Valkey, beside the jobs, and the leader continues
it.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from flask_babel import gettext as _
from rq.executions import ExecutionRegistry
from rq.job import Job
from rq.results import Result
from rq.utils import now, utcformat

from myukm.errors import Conflict
from myukm.extensions import valkey
from myukm.queues.failures import keys
from myukm.queues.failures.client import patient_client
from myukm.queues.jobs import QUEUES

RETRY, DISCARD = "retry", "discard"
PORTION = 200
# Seconds that one call of `go_on` may last, and for which a finished `Work` can still be read.
BUDGET_SECONDS, SEEN_SECONDS = 0.5, 60

ACT_ON = """
-- The jobs of a paused queue wait in its parking list (queues/pauses.py).
local registry, group_of, work, queue, parking, pauses = unpack(KEYS)
local name, job, result, executions, members, at = unpack(ARGV)
local waiting = redis.call('HEXISTS', pauses, name) == 1 and parking or queue
local function act_on(action, id)
  local group = redis.call('HGET', group_of, id)
  if group then
    redis.call('HDEL', group_of, id)
    redis.call('ZREM', members .. group, id)
  end
  local failed = redis.call('ZREM', registry, id)
  local exists = redis.call('EXISTS', job .. id)
  if failed == 0 then return exists == 1 and 0 or -1 end
  if action == 'discard' then
    redis.call('UNLINK', job .. id, job .. id .. ':dependents', result .. id, executions .. id)
    return 1
  end
  if exists == 0 then return -1 end
  redis.call('HSET', job .. id, 'status', 'queued', 'enqueued_at', at, 'origin', name)
  redis.call('HDEL', job .. id, 'started_at', 'ended_at', 'exc_info', 'worker_name')
  redis.call('PERSIST', job .. id)
  redis.call('SADD', 'rq:queues', queue)
  redis.call('RPUSH', waiting, id)
  return 1
end
"""
GIVEN_JOBS = (
    ACT_ON
    + """
local outcomes = {}
for i = 8, #ARGV do outcomes[#outcomes + 1] = act_on(ARGV[7], ARGV[i]) end
return outcomes
"""
)
# Acts on no more jobs than had failed at first, because a retried job may fail again meanwhile.
NEXT_PORTION = (
    ACT_ON
    + """
local state = redis.call('HMGET', work, 'action', 'group', 'total', 'done', 'ended')
if not state[1] or state[5] then return 0 end
local size = math.min(tonumber(ARGV[7]), tonumber(state[3]) - tonumber(state[4]))
local source = state[2] == '' and registry or members .. state[2]
local ids = size > 0 and redis.call('ZRANGE', source, 0, size - 1) or {}
for _, id in ipairs(ids) do
  act_on(state[1], id)
  redis.call('ZREM', source, id)
end
redis.call('HINCRBY', work, 'done', #ids)
if #ids == size and size == tonumber(ARGV[7]) then return #ids end
redis.call('HSET', work, 'ended', at)
redis.call('EXPIRE', work, ARGV[8])
return 0
"""
)


# One script, because two people may begin at the same moment.
BEGIN = """
local work, source = unpack(KEYS)
if redis.call('EXISTS', work) == 1 and redis.call('HEXISTS', work, 'ended') == 0 then return -1 end
local total = redis.call('ZCARD', source)
redis.call('DEL', work)
redis.call('HSET', work, 'action', ARGV[1], 'group', ARGV[2], 'total', total, 'done', 0)
return total
"""


class Work(NamedTuple):
    """An action on many failed jobs of a queue. `group` is the id of a kind of failure (`Kind.id`
    in kinds.py), "" for all failed jobs."""

    queue: str
    action: str
    group: str
    total: int
    done: int
    ended: bool


def act_on(queue: str, action: str, job_ids: Sequence[str]) -> list[int]:
    """Retry or discard failed jobs; return for each 1 (done), 0 (has not failed) or -1 (is gone).

    Raises RedisError.
    """
    answers = valkey().eval(GIVEN_JOBS, 6, *keys.of_queue(queue), *_values(queue), action, *job_ids)
    return cast(list[int], answers)


def begin(queue: str, action: str, group: str = "") -> Work:
    """Begin to retry or discard the failed jobs of a group, or all of the queue.

    Raises `Conflict` while an earlier action on the queue's failed jobs is unfinished, and
    RedisError.
    """
    source = keys.members(queue, group) if group else keys.registry(queue)
    total = cast(int, valkey().eval(BEGIN, 2, keys.work(queue), source, action, group))
    if total < 0:
        raise Conflict(_("Tindakan sebelumnya pada antrian %(queue)s belum selesai.", queue=queue))
    return Work(queue, action, group, total, 0, ended=False)


def go_on(queue: str, seconds: float = BUDGET_SECONDS) -> bool:
    """Do portions of a queue's work for `seconds`; return whether any jobs are left.

    Several processes may call it at once. Raises RedisError.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        values = (*_values(queue), PORTION, SEEN_SECONDS)
        if not patient_client().eval(NEXT_PORTION, 6, *keys.of_queue(queue), *values):
            return False
    return True


def of_queue(queue: str) -> Work | None:
    """Return the work on a queue's failed jobs, None if there is none; it is kept for a minute
    after its end. Raises RedisError."""
    state = cast(dict[bytes, bytes], valkey().hgetall(keys.work(queue)))
    if not state:
        return None
    fields = {key.decode(): value.decode() for key, value in state.items()}
    total, done = int(fields["total"]), int(fields["done"])
    return Work(queue, fields["action"], fields["group"], total, done, "ended" in fields)


def works() -> list[Work]:
    """Return the works of all queues. Raises RedisError."""
    if not valkey().exists(*map(keys.work, QUEUES)):
        return []
    return [work for name in QUEUES if (work := of_queue(name))]


def _values(queue: str) -> tuple[Any, ...]:
    executions = ExecutionRegistry.key_template.format("")
    prefixes = Job.redis_job_namespace_prefix, Result.get_key(""), executions
    return (queue, *prefixes, keys.members(queue), utcformat(now()))
