"""Open requests to join, which are those without a decision, except of blocked accounts: counting,
deleting, publishing their number."""

from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, select
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, on_commit
from myukm.domain.ukm import state
from myukm.extensions import db
from myukm.models import JoinRequest, Ukm, User


def is_open() -> ColumnElement[bool]:
    """Return the SQL condition for open requests. The query must join `User`, because requests of
    blocked accounts do not count."""
    return and_(JoinRequest.refused_at.is_(None), User.blocked_at.is_(None))


# The number of open requests to the UKM of the enclosing query.
OF_UKM = (
    select(func.count())
    .select_from(JoinRequest)
    .join(JoinRequest.user)
    .where(JoinRequest.ukm_id == Ukm.id, is_open())
    .correlate(Ukm)
    .scalar_subquery()
)


def count(ukm_id: int) -> int:
    """Return the number of a UKM's open requests."""
    query = select(func.count()).select_from(JoinRequest).join(JoinRequest.user)
    return db.session.scalar(query.where(JoinRequest.ukm_id == ukm_id, is_open())) or 0


def publish(ukm: Ukm, asked: str | None = None) -> None:
    """Publish the number to the UKM's admins, with the name of the person who has just `asked`.

    The event is not logged, because pages read the number from the database when they load, and
    again after a gap of the stream.
    """
    event: dict[str, Any] = {"ukm": ukm.code, "open": count(ukm.id), "asked": asked}
    state.publish_to_admins(ukm, "ukm.requests", event)


def delete_of_member(session: Session, ukm: Ukm, user_id: int) -> None:
    """Delete the request of a person who is a member from now on, inside `transaction()`."""
    own = (JoinRequest.ukm_id == ukm.id, JoinRequest.user_id == user_id)
    if execute_rowcount(session, delete(JoinRequest).where(*own)):
        on_commit(publish, ukm)


def delete_all(session: Session, ukm: Ukm) -> None:
    """Delete all requests without a decision, also of blocked accounts, to a UKM that nobody can
    join any more, inside `transaction()`."""
    waiting = (JoinRequest.ukm_id == ukm.id, JoinRequest.refused_at.is_(None))
    if execute_rowcount(session, delete(JoinRequest).where(*waiting)):
        on_commit(publish, ukm)


def publish_all_of(session: Session, user_id: int) -> None:
    """For each UKM that a person has asked to join, publish the number of its open requests. Call
    it inside the `transaction()` that deletes the person's requests or blocks the account; the
    events are published after it."""
    mine = (JoinRequest.user_id == user_id, JoinRequest.refused_at.is_(None))
    for ukm in session.scalars(select(Ukm).join(JoinRequest).where(*mine)).all():
        on_commit(publish, ukm)
