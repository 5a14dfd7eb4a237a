"""Finds what lost or killed jobs left: cursors behind, dead claims, deliveries that are due."""

import time

from sqlalchemy import func, select

from myukm.domain.push import fan_out, outbox, subscriptions
from myukm.domain.standstill import Standstill
from myukm.extensions import db
from myukm.models import PushCursor, Ukm

EVERY_SECONDS, MAX_UKMS = 2.0, 100


class PushWatch:
    """A task of the leader. `claim_seconds`: a job sends for at most ten seconds per claim."""

    def __init__(self, claim_seconds: float = 30.0, lag_seconds: float = 4.0) -> None:
        self._claims = Standstill[str](claim_seconds)
        self._lags = Standstill[int](lag_seconds)
        self._next = 0.0

    def run(self) -> None:
        """Poll every two seconds, while any browser is subscribed."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        if subscriptions.any_subscribed():
            self.poll()

    def poll(self) -> None:
        """Give back dead claims, and queue the jobs that are missing."""
        if dead := self._claims.of(outbox.claims()):
            outbox.release(dead)
        for ukm_id in self._lags.of(_lagging())[:MAX_UKMS]:
            fan_out.fan_out_later(ukm_id)
        if outbox.due():
            outbox.deliver_later()


def _lagging() -> dict[int, int]:
    """Return, for UKMs with messages after their cursor, where that stands."""
    number = func.coalesce(PushCursor.number, 0)
    query = select(Ukm.id, number).outerjoin(PushCursor, PushCursor.ukm_id == Ukm.id)
    rows = db.session.execute(query.where(Ukm.last_number > number)).all()
    db.session.rollback()
    return {ukm_id: at for ukm_id, at in rows}  # noqa: C416 (rows are no plain tuples)
