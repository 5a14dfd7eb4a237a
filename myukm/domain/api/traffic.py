"""What a run had to do with the payment API: requests, bytes, waiting times.

Each lane keeps its own sums and writes them, whole, in the turn that writes its students: a turn
that is repeated, or a lane that dies, makes nothing count twice.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from myukm.domain.api.failures import Failure
from myukm.domain.api.payments import Answer
from myukm.extensions import db
from myukm.models import SyncTraffic

_STEPS = (1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)
# The upper bounds, in ms, of the classes in which times are counted; the last one has none.
BOUNDS = tuple(step * size for size in (1.0, 10.0, 100.0, 1000.0, 10_000.0) for step in _STEPS)


class Traffic:
    """A lane's sums: `limited` are answers 429, `received` bytes, `latency` requests by time."""

    def __init__(self) -> None:
        self.requests = self.retries = self.limited = self.received = 0
        self.latency = [0] * (len(BOUNDS) + 1)

    def note(self, seconds: float, answer: Answer, *, again: bool) -> None:
        """Count a request that took `seconds`; `again`: not the first one for its student."""
        self.requests += 1
        self.retries += again
        self.limited += isinstance(answer, Failure) and answer.http == 429
        self.latency[bisect_left(BOUNDS, seconds * 1000)] += 1

    def write(self, session: Session, lane_id: str) -> None:
        """Write the sums as they are now."""
        session.execute(
            update(SyncTraffic)
            .where(SyncTraffic.lane_id == lane_id)
            .values(
                requests=self.requests,
                retries=self.retries,
                limited=self.limited,
                received=self.received,
                latency=list(self.latency),
            )
        )


class Figures(NamedTuple):
    """The sums of a run; `p50` and `p95` are milliseconds, None before the first request."""

    requests: int
    retries: int
    limited: int
    received: int
    p50: float | None
    p95: float | None


def of_run(run_id: int) -> Figures:
    """Return the figures of a run over all its lanes."""
    rows: Sequence[Any] = db.session.execute(
        select(
            SyncTraffic.requests,
            SyncTraffic.retries,
            SyncTraffic.limited,
            SyncTraffic.received,
            SyncTraffic.latency,
        ).where(SyncTraffic.run_id == run_id)
    ).all()
    requests, retries, limited, received = (sum(row[at] for row in rows) for at in range(4))
    latency = [sum(counts) for counts in zip(*(row.latency for row in rows), strict=False)]
    middle, slow = quantile(latency, 0.5), quantile(latency, 0.95)
    return Figures(requests, retries, limited, received, middle, slow)


def quantile(latency: Sequence[int], share: float) -> float | None:
    """Return the time (ms) below which that share of the requests lies; None without any.

    Within a class the requests are taken for spread evenly, so it is right to about a tenth.
    """
    reached = list(accumulate(latency))
    if not reached or not reached[-1]:
        return None
    wanted = share * reached[-1]
    place = bisect_left(reached, wanted)
    if place == len(BOUNDS):
        return BOUNDS[-1]
    below = BOUNDS[place - 1] if place else 0.0
    inside = (wanted - reached[place] + latency[place]) / latency[place]
    return below + (BOUNDS[place] - below) * inside
