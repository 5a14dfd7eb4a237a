"""Request statistics of runs and of their lanes, the jobs that work on a run."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from myukm.domain.payment_api.metrics import BUCKETS_MS, RequestStats
from myukm.extensions import db
from myukm.histogram import quantile
from myukm.models import SyncTraffic


def save(session: Session, lane_id: str, sums: RequestStats) -> None:
    """Save a lane's current sums."""
    session.execute(
        update(SyncTraffic)
        .where(SyncTraffic.lane_id == lane_id)
        .values(
            requests=sums.requests,
            retries=sums.retries,
            limited=sums.limited,
            received=sums.received,
            latency=list(sums.latency),
        )
    )


class RunStats(NamedTuple):
    """The sums of a run: `limited` is the number of responses with status 429, `received` the
    number of bytes received. The latencies `p50` and `p95` are in milliseconds, None before the
    first request."""

    requests: int
    retries: int
    limited: int
    received: int
    p50: float | None
    p95: float | None


def of_run(run_id: int) -> RunStats:
    """Return the sums of a run over all its lanes."""
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
    # A lane has no counts before its first turn.
    latency = [sum(counts) for counts in zip_longest(*(row.latency for row in rows), fillvalue=0)]
    middle, slow = (quantile(BUCKETS_MS, latency, share) for share in (0.5, 0.95))
    return RunStats(requests, retries, limited, received, middle, slow)
