"""A user's list of UKMs, with unread counts and last messages."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, select
from sqlalchemy.orm import contains_eager

from myukm.domain.ukm import open_requests
from myukm.domain.ukm.memberships import is_archived
from myukm.domain.ukm.unread import UNREAD
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, Ukm, User


class LastMessage(NamedTuple):
    """The newest message of a UKM, as shown in one line of the list."""

    id: int
    name: str
    text: str
    at: datetime
    deleted: bool


class UkmSummary(NamedTuple):
    """A UKM in a member's list."""

    id: int
    code: str
    name: str
    description: str
    is_admin: bool
    unread: int
    member_count: int
    open_requests: int
    last_message: LastMessage | None


def list_for(user_id: int, *, archived: bool = False) -> list[UkmSummary]:
    """Return the account's active (or archived) UKMs in one query, the latest message first."""
    size = select(func.count()).where(Membership.ukm_id == Ukm.id).correlate(Ukm)
    query = (
        select(
            Membership,
            UNREAD,
            *_LAST,
            size.scalar_subquery(),
            case((Membership.is_admin, open_requests.OF_UKM), else_=0),
        )
        .join(Membership.ukm)
        .outerjoin(
            ChatMessage,
            (ChatMessage.ukm_id == Ukm.id) & (ChatMessage.number == Ukm.last_number),
        )
        .outerjoin(ChatMessage.user)
        .options(contains_eager(Membership.ukm))
        .where(Membership.user_id == user_id, is_archived(archived))
        .order_by(ChatMessage.id.is_(None), ChatMessage.created_at.desc(), Ukm.search_text, Ukm.id)
    )
    return [_summary(*row) for row in db.session.execute(query)]


_LAST = (
    ChatMessage.id,
    User.name,
    ChatMessage.body,
    ChatMessage.created_at,
    ChatMessage.deleted_at.is_not(None),
)


def _summary(mine: Membership, unread: int, *row: Any) -> UkmSummary:
    ukm, (*last, size, open_count) = mine.ukm, row
    return UkmSummary(
        ukm.id,
        ukm.code,
        ukm.name,
        ukm.description,
        mine.is_admin,
        unread,
        size,
        open_count,
        LastMessage(*last) if last[0] else None,
    )


def count_archived(user_id: int) -> int:
    """Return the number of archived UKMs of the account."""
    query = select(func.count()).select_from(Membership).join(Membership.ukm)
    return db.session.scalar(query.where(Membership.user_id == user_id, is_archived(True))) or 0
