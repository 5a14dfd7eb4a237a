"""Sends the deliveries that are due: what is still wanted, to who views no page now."""

import time
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from myukm.backoff import backoff
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.push import outbox, pending, sender
from myukm.domain.push.keys import server_key
from myukm.domain.push.pending import Entry
from myukm.models import PushSubscription

# After that long a job makes room for others of its queue.
JOB_SECONDS = 2.0
FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS = 5.0, 900.0


def deliver() -> int:
    """Send what is due, some at a time (the job's work); return how many services accepted.

    While there is more than one portion, each job that begins lets another worker join."""
    outbox.begin()
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
    """Send what is claimed. Rights are read right before, in one moment for all."""
    entries = pending.entries(ids)
    sent = [(each, each.notification) for each in entries if each.notification]
    outcomes = sender.send(server_key(), [notification for _, notification in sent])
    with transaction() as session:
        outbox.discard(session, claim, set(ids) - {entry.id for entry in entries})
        for entry in entries:
            if entry.wait_until:
                outbox.postpone(session, claim, entry.id, entry.wait_until)
            elif not entry.notification:
                outbox.remove(session, claim, entry.id, entry.ref)
        for (entry, _), outcome in zip(sent, outcomes, strict=True):
            _settle(session, claim, entry, outcome)
    return sum(outcome.verdict == sender.DELIVERED for outcome in outcomes)


def _settle(session: Session, claim: str, entry: Entry, outcome: sender.Outcome) -> None:
    """Store what the push service said."""
    if outcome.verdict == sender.GONE:
        dead = delete(PushSubscription).where(PushSubscription.id == entry.subscription_id)
        session.execute(dead)
    elif outcome.verdict == sender.LATER and entry.tries + 1 < outbox.MAX_TRIES:
        seconds = outcome.wait or backoff(FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS, entry.tries)
        until = utcnow() + timedelta(seconds=seconds)
        outbox.postpone(session, claim, entry.id, until, failed=True)
    else:
        outbox.remove(session, claim, entry.id, entry.ref)
