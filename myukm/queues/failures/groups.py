"""Reads failed jobs grouped by kind, a page at a time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from flask_babel import gettext as _

from myukm.db.types import to_iso8601
from myukm.errors import NotFound
from myukm.extensions import valkey
from myukm.queues.failures import keys
from myukm.queues.failures.kinds import Kind
from myukm.queues.job_summaries import failure_row, load_jobs, load_traces
from myukm.queues.jobs import QUEUES

SHOWN = 50


@dataclass(frozen=True)
class FailureGroup:
    """Failures of one kind: how many, the times of the first and of the last one, and the id of the
    job that failed last (`example`)."""

    queue: str
    id: str
    kind: Kind
    count: int
    first_at: datetime
    last_at: datetime
    example: str

    def as_json(self) -> dict[str, Any]:
        """Return the group as `flask queue failed --groups --json` prints it."""
        return {
            "queue": self.queue,
            "group": self.id,
            "job": self.kind.job,
            "error": self.kind.error,
            "count": self.count,
            "first_at": to_iso8601(self.first_at),
            "last_at": to_iso8601(self.last_at),
            "example": self.example,
        }


def counts() -> dict[str, int]:
    """Return how many failed jobs each queue has. Raises RedisError."""
    with valkey().pipeline(transaction=False) as pipe:
        for name in QUEUES:
            pipe.zcard(keys.registry(name))
        return dict(zip(QUEUES, pipe.execute(), strict=True))


def ungrouped(queue: str) -> int:
    """Return how many failed jobs of a queue have no group yet. Raises RedisError."""
    with valkey().pipeline(transaction=False) as pipe:
        pipe.zcard(keys.registry(queue))
        pipe.hlen(keys.jobs(queue))
        failed, indexed = pipe.execute()
    return int(max(0, failed - indexed))


def all_groups() -> list[FailureGroup]:
    """Return the groups of all queues, the largest first. Raises RedisError."""
    found = [group for name in QUEUES for group in of_queue(name)]
    return sorted(found, key=lambda group: -group.count)


def of_queue(queue: str) -> list[FailureGroup]:
    """Return the groups of a queue. Raises RedisError."""
    known = cast(dict[bytes, bytes], valkey().hgetall(keys.groups(queue)))
    return _load(queue, {name.decode(): text for name, text in known.items()})


def one(queue: str, group: str) -> FailureGroup:
    """Return a group; raises `NotFound` if it has no job."""
    text = cast(bytes | None, valkey().hget(keys.groups(queue), group))
    found = _load(queue, {group: text}) if text else []
    if not found:
        raise NotFound(_("Tidak ada kelompok %(id)s.", id=group))
    return found[0]


def rows(group: FailureGroup, offset: int = 0) -> Sequence[dict[str, Any]]:
    """Return up to `SHOWN` failed jobs of a group, the newest first. Raises RedisError."""
    key = keys.members(group.queue, group.id)
    ids = [
        each.decode()
        for each in cast(list[bytes], valkey().zrevrange(key, offset, offset + SHOWN - 1))
    ]
    with valkey().pipeline(transaction=False) as pipe:
        jobs, traces = load_jobs(pipe, ids), load_traces(pipe, ids)
    return [failure_row(key, fields, traces[key]) for key, fields in jobs.items() if fields]


def _load(queue: str, known: Mapping[str, bytes]) -> list[FailureGroup]:
    """Return the known groups that have a job, in one round trip."""
    with valkey().pipeline() as pipe:
        for key in (keys.members(queue, name) for name in known):
            pipe.zcard(key)
            pipe.zrange(key, 0, 0, withscores=True)
            pipe.zrevrange(key, 0, 0, withscores=True)
        answers = iter(pipe.execute())
    rows = zip(known.items(), answers, answers, answers, strict=True)
    return [
        FailureGroup(
            queue, name, Kind(*json.loads(text)), count, _at(first), _at(last), last[0][0].decode()
        )
        for (name, text), count, first, last in rows
        if count
    ]


def _at(entry: list[tuple[bytes, float]]) -> datetime:
    return datetime.fromtimestamp(entry[0][1], UTC)
