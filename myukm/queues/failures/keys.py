"""The keys of the index of failed jobs, which is derived from RQ's registry."""

from rq.queue import Queue

from myukm.queues.pauses import STATE, parking_key

PREFIX = "myukm:failed"


def registry(queue: str) -> str:
    """RQ's sorted set of the queue's failed jobs."""
    return f"rq:failed:{queue}"


def jobs(queue: str) -> str:
    """A hash: the group of each job that is indexed."""
    return f"{PREFIX}:{queue}:jobs"


def groups(queue: str) -> str:
    """A hash: the kind of each group, as JSON."""
    return f"{PREFIX}:{queue}:groups"


def members(queue: str, group: str = "") -> str:
    """A sorted set: the jobs of a group by the time of failure. Without `group`, its prefix."""
    return f"{PREFIX}:{queue}:in:{group}"


def work(queue: str) -> str:
    """A hash: the action on many failed jobs of the queue."""
    return f"{PREFIX}:{queue}:work"


def of_queue(queue: str) -> tuple[str, ...]:
    """The keys that the scripts of `actions.py` take, in their order."""
    waiting = f"{Queue.redis_queue_namespace_prefix}{queue}"
    return registry(queue), jobs(queue), work(queue), waiting, parking_key(queue), STATE
