"""The waiting jobs of each queue: how many, since when, and whether the queue is paused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Any, NamedTuple

from redis.client import Pipeline
from rq.job import Job
from rq.utils import utcparse

from myukm.db.types import utcnow
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import QUEUES
from myukm.queues.pauses import STATE


@dataclass(frozen=True)
class Backlog:
    """The waiting jobs of a queue: their number, and the oldest one with its enqueue time."""

    count: int
    oldest_id: str | None
    since: datetime | None
    paused: bool = False

    @property
    def seconds(self) -> float | None:
        """Seconds that the oldest job has waited; None if its time is unknown."""
        return max(0.0, (utcnow() - self.since).total_seconds()) if self.since else None


class Head(NamedTuple):
    """The state of a queue's lists: waiting jobs, the first one's id, whether it is paused."""

    waiting: int
    first: str
    paused: bool


def add_reads(pipe: Pipeline) -> None:
    """Add the reads to `pipe` whose answers `heads` takes: the paused queues, whether any job is
    parked, and two for each queue. `heads` itself reads the parking lists, and only if any job is
    parked, because usually none is."""
    pipe.hkeys(STATE)
    pipe.exists(*(get_queue(name).parking for name in QUEUES))
    for name in QUEUES:
        _add_list_reads(pipe, get_queue(name).key)


def heads(pipe: Pipeline, answers: Sequence[Any]) -> dict[str, Head]:
    """Return the head of each queue from the answers to `add_reads`; parked jobs come first."""
    paused, any_parked, *lists = answers
    if any_parked:
        for name in QUEUES:
            _add_list_reads(pipe, get_queue(name).parking)
    nothing: list[Any] = [0, None] * len(QUEUES)
    parked = pipe.execute() if any_parked else nothing
    return {
        name: Head(
            parked[2 * at] + lists[2 * at],
            (parked[2 * at + 1] or lists[2 * at + 1] or b"").decode(),
            name.encode() in paused,
        )
        for at, name in enumerate(QUEUES)
    }


def _add_list_reads(pipe: Pipeline, key: str) -> None:
    pipe.llen(key)
    pipe.lindex(key, 0)


def add_time_reads(pipe: Pipeline, heads: Mapping[str, Head]) -> None:
    """Add the reads to `pipe` whose answers `with_times` takes: one for each queue with jobs."""
    for head in heads.values():
        if head.first:
            pipe.hget(Job.key_for(head.first), "enqueued_at")


def with_times(heads: Mapping[str, Head], times: Sequence[bytes | None]) -> dict[str, Backlog]:
    """Return the backlogs from the answers to `add_time_reads`."""
    left = iter(times)
    return {
        name: Backlog(
            head.waiting,
            head.first or None,
            moment(next(left)) if head.first else None,
            head.paused,
        )
        for name, head in heads.items()
    }


def moment(value: bytes | str | None) -> datetime | None:
    """Return a time that RQ stored; None if there is none, or the job is damaged."""
    try:
        found = utcparse(value.decode() if isinstance(value, bytes) else value) if value else None
    except ValueError:
        return None
    # In the first and the last year of the calendar, other time zones may have no such time.
    return found if found and MINYEAR < found.year < MAXYEAR else None
