"""Search in the messages of a person's UKMs, newest first."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from myukm.db.session import in_literals
from myukm.domain.chat import history
from myukm.domain.chat.search_plan import SearchPlan
from myukm.domain.chat.search_query import Wanted, is_named
from myukm.domain.ukm import memberships
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, User


class Found(NamedTuple):
    """A page of messages, newest first. `next` is the `before` of the next page, None at the end; a
    page may be short or empty although there is a next page."""

    messages: Sequence[ChatMessage]
    next: int | None


def find(user_id: int, wanted: Wanted, before: int | None = None, code: str | None = None) -> Found:
    """Return a page of matching messages with a lower id than `before`, of the UKM `code` or of all
    UKMs that the person is in.

    Raises `NotFound` for a UKM that the person is not in.
    """
    scope = _scope(user_id, code)
    authors = _authors(wanted)
    if not scope or (wanted.names and not authors):
        return Found([], None)
    if before is None:
        before = (db.session.scalar(select(func.max(ChatMessage.id))) or 0) + 1
    ids, following = SearchPlan(wanted, scope, authors).page(before)
    return Found(_load(user_id, ids), following)


def _scope(user_id: int, code: str | None) -> list[int]:
    """Return the ids of the UKMs to search."""
    if code is not None:
        return [memberships.get_membership(user_id, code).ukm_id]
    query = select(Membership.ukm_id).where(Membership.user_id == user_id)
    return list(db.session.scalars(query.order_by(Membership.ukm_id)))


def _authors(wanted: Wanted) -> list[int]:
    """Return the ids of the people who have one of the wanted names now."""
    if not wanted.names:
        return []
    people = db.session.execute(select(User.id, User.name).order_by(User.id))
    return [person.id for person in people if is_named(person.name, wanted.names)]


def _load(user_id: int, ids: Sequence[int]) -> Sequence[ChatMessage]:
    """Return the messages, newest first. Membership is checked again, because it may have ended
    since `_scope`."""
    if not ids:
        return []
    query = (
        select(ChatMessage)
        .join(Membership, Membership.ukm_id == ChatMessage.ukm_id)
        .where(Membership.user_id == user_id, ChatMessage.deleted_at.is_(None))
        .where(in_literals(ChatMessage.id, ids))
        .options(*history.SHOWN, joinedload(ChatMessage.ukm))
        .order_by(ChatMessage.id.desc())
    )
    return db.session.scalars(query).all()
