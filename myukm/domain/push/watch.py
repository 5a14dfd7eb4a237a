"""Finds what lost or killed jobs left: lagging cursors, dead claims, deliveries that are due."""

import time
from datetime import datetime

from sqlalchemy import and_, func, or_, select

from myukm.domain.push import fan_out, outbox, subscriptions
from myukm.domain.standstill import Standstill
from myukm.extensions import db
from myukm.models import PushCursor, Ukm, UkmPin

EVERY_SECONDS, MAX_UKMS = 2.0, 100


class PushWatch:
    """A task of the leader. A claim that does not change for `claim_seconds` is dead, because a job
    needs at most ten seconds for it. A cursor that lags for `lag_seconds` has lost its job."""

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
        """Release dead claims, and enqueue missing jobs."""
        if dead := self._claims.of(outbox.claims()):
            outbox.release(dead)
        for ukm_id in self._lags.of(_lagging())[:MAX_UKMS]:
            fan_out.fan_out_later(ukm_id)
        if outbox.due():
            outbox.deliver_later()


def _lagging() -> dict[int, tuple[int, datetime | None]]:
    """Return the UKMs with messages or an announcement after their cursor.

    The value stays the same while no job moves the cursor and no other announcement is pinned.
    """
    number = func.coalesce(PushCursor.number, 0)
    undecided = or_(PushCursor.pinned_at.is_(None), PushCursor.pinned_at < UkmPin.at)
    query = (
        select(Ukm.id, number, UkmPin.at)
        .outerjoin(PushCursor, PushCursor.ukm_id == Ukm.id)
        .outerjoin(UkmPin, UkmPin.ukm_id == Ukm.id)
        .where(or_(Ukm.last_number > number, and_(UkmPin.at.is_not(None), undecided)))
    )
    rows = db.session.execute(query).all()
    db.session.rollback()
    return {ukm_id: (number, pinned_at) for ukm_id, number, pinned_at in rows}
