"""The deliveries that are still to be sent: stored, claimed by a job, deleted or postponed.

A delivery is stored in the transaction that decides it, and deleted when the push service has
accepted it. A claim is a conditional UPDATE, so only one job sends a delivery. The claims of a
killed job are freed by `release`. If the job was killed after the service had accepted, the
notification is sent again, but a person sees it once: it has the same `Topic`, so the service
replaces the one that it still holds, and the same tag and id, so the browser replaces the one that
it shows, without ringing.
"""

import logging
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from redis.exceptions import RedisError
from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, in_literals, on_commit, transaction
from myukm.db.types import utcnow
from myukm.extensions import db, valkey
from myukm.logs.outages import Outage
from myukm.models import PushDelivery
from myukm.queues.enqueue import enqueue

JOB = "myukm.jobs.push.deliver"
MESSAGE, MENTION, PIN, TEST = "message", "mention", "pin", "test"
CHUNK, PORTION, MAX_TRIES = 32, 1000, 8  # deliveries per claim, and per statement
# The flag of a queued job expires after this time, so that a lost job is enqueued again.
QUEUED, QUEUED_SECONDS = "myukm:push:due", 20

_outage = Outage(logging.getLogger(__name__), "push: Valkey unreachable")


class Delivery(NamedTuple):
    """A notification to send to a browser; the fields are those of `PushDelivery`."""

    subscription_id: int
    tag: str
    kind: str
    ref: int
    ukm_id: int | None = None


def put(session: Session, deliveries: Sequence[Delivery]) -> None:
    """Store deliveries, inside `transaction()`.

    Each replaces a waiting delivery to the same browser with the same tag; its age and tries start
    at 0. If the replaced delivery was a mention, the new one becomes a mention as well.
    """
    for start in range(0, len(deliveries), PORTION):
        portion = deliveries[start : start + PORTION]
        waiting = _waiting(session, portion)
        renewed = [
            {
                "b_id": waiting[key][0],
                "b_ref": each.ref,
                "b_kind": _merged_kind(each, waiting[key][1]),
                "b_now": utcnow(),
            }
            for each in portion
            if (key := (each.subscription_id, each.tag)) in waiting
        ]
        fresh = [each._asdict() for each in portion if each[:2] not in waiting]
        if renewed:
            session.connection().execute(_RENEW, renewed)
        if fresh:
            session.execute(insert(PushDelivery), fresh)
    if deliveries:
        on_commit(deliver_later)


def _waiting(
    session: Session, portion: Iterable[Delivery]
) -> Mapping[tuple[int, str], tuple[int, str]]:
    """Lock and return the (id, kind) of deliveries that wait, by subscription and tag."""
    browsers, tags = {each.subscription_id for each in portion}, {each.tag for each in portion}
    query = (
        select(PushDelivery.id, PushDelivery.kind, PushDelivery.subscription_id, PushDelivery.tag)
        .where(in_literals(PushDelivery.subscription_id, browsers), PushDelivery.tag.in_(tags))
        .with_for_update()
    )
    return {(row.subscription_id, row.tag): (row.id, row.kind) for row in session.execute(query)}


def _merged_kind(new: Delivery, kind: str) -> str:
    return MENTION if MENTION in (kind, new.kind) else new.kind


_TABLE = PushDelivery.__table__
_RENEW = (
    update(_TABLE)  # type: ignore[arg-type]
    .where(_TABLE.c.id == bindparam("b_id"))
    .values(
        ref=bindparam("b_ref"), kind=bindparam("b_kind"), created_at=bindparam("b_now"), tries=0
    )
)


def deliver_later() -> None:
    """Enqueue one job that sends due deliveries, unless one is queued. If the job is lost,
    `watch.PushWatch` enqueues another."""
    try:
        if valkey().set(QUEUED, b"1", nx=True, ex=QUEUED_SECONDS):
            enqueue(JOB)
    except RedisError as error:
        _outage.failed(error)
    else:
        _outage.worked()


def clear_queued_flag() -> None:
    """Delete the flag of a queued job, so that a delivery stored from now on enqueues another."""
    valkey().delete(QUEUED)


def claim() -> tuple[str, list[int]]:
    """Claim up to `CHUNK` due deliveries; return the claim's name and their ids."""
    name = secrets.token_hex(8)
    free = (PushDelivery.claim.is_(None), PushDelivery.due_at <= utcnow())
    with transaction() as session:
        query = select(PushDelivery.id).where(*free).order_by(PushDelivery.due_at).limit(CHUNK)
        ids = session.scalars(query.with_for_update(skip_locked=True)).all()
        if ids:
            mine = update(PushDelivery).where(in_literals(PushDelivery.id, ids), *free)
            session.execute(mine.values(claim=name))
    return name, list(ids)


def due() -> bool:
    """Return whether a delivery is due that no job has claimed."""
    free = (PushDelivery.claim.is_(None), PushDelivery.due_at <= utcnow())
    return db.session.scalar(select(PushDelivery.id).where(*free).limit(1)) is not None


def remove(session: Session, claim: str, delivery_id: int, created_at: datetime) -> None:
    """Delete a finished delivery. If it was replaced meanwhile (another `created_at`), it is due
    again."""
    gone = delete(PushDelivery).where(
        PushDelivery.id == delivery_id,
        PushDelivery.claim == claim,
        PushDelivery.created_at == created_at,
    )
    if not execute_rowcount(session, gone):
        postpone(session, claim, delivery_id, utcnow())


def discard(session: Session, claim: str, ids: Collection[int]) -> None:
    """Delete deliveries whose log-in has ended or whose account is blocked."""
    session.execute(
        delete(PushDelivery).where(in_literals(PushDelivery.id, ids), PushDelivery.claim == claim)
    )


def postpone(
    session: Session, claim: str, delivery_id: int, until: datetime, *, failed: bool = False
) -> None:
    """Release the claim of a delivery, which is due again at `until`. `failed`: count a try."""
    mine = update(PushDelivery).where(PushDelivery.id == delivery_id, PushDelivery.claim == claim)
    values = {"claim": None, "due_at": until, "tries": PushDelivery.tries + int(failed)}
    session.execute(mine.values(values))


def claims() -> dict[str, int]:
    """Return how many deliveries each claim has left. The number falls while the job is alive."""
    query = select(PushDelivery.claim, func.count()).where(PushDelivery.claim.is_not(None))
    return {str(name): count for name, count in db.session.execute(query.group_by("claim"))}


def release(names: Collection[str]) -> None:
    """Release the claims of dead jobs. Deliveries with too many tries are deleted, because one of
    them may have killed the jobs."""
    dead = PushDelivery.claim.in_(names)
    with transaction() as session:
        session.execute(delete(PushDelivery).where(dead, PushDelivery.tries + 1 >= MAX_TRIES))
        again = update(PushDelivery).where(dead)
        session.execute(again.values(claim=None, tries=PushDelivery.tries + 1))
