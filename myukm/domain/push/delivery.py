"""Sends due deliveries, unless they are not wanted any more or their receiver views a page."""

import time
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from myukm.backoff import backoff
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.push import failing_services, outbox, pending, sender
from myukm.domain.push.keys import server_key
from myukm.domain.push.pending import Entry
from myukm.models import PushSubscription

# After this time a job ends, so that other jobs of its queue are not held up.
JOB_SECONDS = 2.0
FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS = 5.0, 900.0


def deliver() -> int:
    """Send the deliveries that are due, a portion at a time (the work of `outbox.JOB`); return how
    many were accepted.

    After claiming a full portion it enqueues another job, so that more workers send."""
    outbox.clear_queued_flag()
    delivered, until = 0, time.monotonic() + JOB_SECONDS
    while time.monotonic() < until:
        claim, ids = outbox.claim()
        if len(ids) == outbox.CHUNK:
            outbox.deliver_later()
        if not ids:
            break
        delivered += _deliver(claim, ids)
    return delivered


def _deliver(claim: str, ids: Sequence[int]) -> int:
    """Send the claimed deliveries; return how many were accepted."""
    entries = pending.entries(ids)
    to_send = [(each, each.notification) for each in entries if each.notification]
    notifications = [notification for _, notification in to_send]
    outcomes = sender.send(server_key(), notifications)
    failing_services.record(zip(notifications, outcomes, strict=True))
    with transaction() as session:
        # Without an entry the log-in has ended or the account is blocked.
        outbox.discard(session, claim, set(ids) - {entry.id for entry in entries})
        for entry in entries:
            if entry.wait_until:
                outbox.postpone(session, claim, entry.id, entry.wait_until)
            elif not entry.notification:
                outbox.remove(session, claim, entry.id, entry.created_at)
        for (entry, _), outcome in zip(to_send, outcomes, strict=True):
            _record(session, claim, entry, outcome)
    return sum(outcome.verdict == sender.DELIVERED for outcome in outcomes)


def _record(session: Session, claim: str, entry: Entry, outcome: sender.Outcome) -> None:
    """Delete or postpone the delivery, depending on the push service's response. A subscription
    that is gone is deleted with all its deliveries."""
    if outcome.verdict == sender.GONE:
        dead = delete(PushSubscription).where(PushSubscription.id == entry.subscription_id)
        session.execute(dead)
    elif outcome.verdict == sender.LATER and entry.tries + 1 < outbox.MAX_TRIES:
        seconds = outcome.wait or backoff(FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS, entry.tries)
        until = utcnow() + timedelta(seconds=seconds)
        outbox.postpone(session, claim, entry.id, until, failed=True)
    else:
        outbox.remove(session, claim, entry.id, entry.created_at)
