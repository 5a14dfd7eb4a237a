"""Messages that members complain about, and what the unit's admins decide."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from myukm.database import count_changed, utcnow, write
from myukm.domain.chat import chat, ukm, ukm_log
from myukm.domain.chat.chat_rules import find_message, refuse_deleted
from myukm.domain.chat.ukm_desk import Officer, take
from myukm.domain.flood import count_act
from myukm.domain.paging import Page, paginate
from myukm.domain.rights import mine
from myukm.domain.texts import clean, is_blank
from myukm.errors import Conflict, Invalid, NotFound
from myukm.extensions import db
from myukm.live import wake
from myukm.models import ChatMessage, Membership, MessageReport, Ukm

MAX_REASON = 500


class Reported(NamedTuple):
    """A message that waits for a decision, with all that was said about it."""

    message: ChatMessage
    reports: Sequence[MessageReport]


def report(user_id: int, code: str, message_id: int, reason: Any) -> None:
    """Complain about another's message, once.

    Raises `NotFound`, `Invalid` for a reason that is blank or over 500 characters, `Conflict`
    for one's own or a deleted message and for the second time.
    """
    text = _checked(reason)
    with write() as session:
        place = ukm.membership(user_id, code, lock=True)
        count_act(user_id)
        message = find_message(place.ukm_id, message_id)
        refuse_deleted(message)
        if message.user_id == user_id:
            raise Conflict(_("Ini pesan Anda sendiri."), code="own_message")
        about = {"ukm_id": place.ukm_id, "message_id": message.id, "user_id": user_id}
        session.add(MessageReport(**about, reason=text))
        try:
            session.flush()
        except IntegrityError:
            raise Conflict(_("Anda sudah melaporkan pesan ini."), code="already_reported") from None
    tell(place.ukm)


def _checked(reason: Any) -> str:
    text = clean(reason) if isinstance(reason, str) and len(reason) <= 4 * MAX_REASON else ""
    if is_blank(text) or len(text) > MAX_REASON:
        raise Invalid(_("Tulis alasannya, 1 sampai 500 karakter."), code="bad_reason")
    return text


def waiting(ukm_id: int, page: int = 1) -> Page[Reported]:
    """Return a page of the reported messages that nobody has decided on, the oldest first."""
    query = (
        select(ChatMessage)
        .options(joinedload(ChatMessage.user))
        .where(ChatMessage.id.in_(select(MessageReport.message_id).where(_open(ukm_id))))
        .order_by(ChatMessage.id)
    )
    found = paginate(query, page)
    by_message = _reports(ukm_id, [message.id for message in found.items])
    reported = [Reported(message, by_message[message.id]) for message in found.items]
    return Page(reported, found.page, found.pages, found.total)


def _reports(ukm_id: int, message_ids: Sequence[int]) -> dict[int, list[MessageReport]]:
    query = (
        select(MessageReport)
        .options(joinedload(MessageReport.user))
        .where(_open(ukm_id), MessageReport.message_id.in_(message_ids))
        .order_by(MessageReport.id)
    )
    found: dict[int, list[MessageReport]] = {message_id: [] for message_id in message_ids}
    for one in db.session.scalars(query):
        found[one.message_id].append(one)
    return found


def _open(ukm_id: int) -> ColumnElement[bool]:
    return and_(MessageReport.ukm_id == ukm_id, MessageReport.settled_at.is_(None))


def count_waiting(ukm_id: int) -> int:
    """Return how many reported messages wait for a decision."""
    query = select(func.count(MessageReport.message_id.distinct())).where(_open(ukm_id))
    return db.session.scalar(query) or 0


def settle(officer: Officer, code: str, message_id: int, *, erase: bool) -> None:
    """End all complaints about a message: erase it, or dismiss them.

    Raises `NotFound` when none waits, `Forbidden`.
    """
    with write() as session:
        unit = take(officer, code)
        settled = (
            update(MessageReport)
            .where(_open(unit.id), MessageReport.message_id == message_id)
            .values(settled_at=utcnow())
        )
        if not count_changed(session, settled):
            raise NotFound(_("Laporan ini tidak ada."), code="no_such_report")
        message = _message(message_id)
        if erase:
            chat.erase(message)
        action = "report_deleted" if erase else "report_dismissed"
        ukm_log.note(unit.id, officer.user_id, action, person_id=message.user_id)
    tell(unit)


def _message(message_id: int) -> ChatMessage:
    return db.session.get_one(ChatMessage, message_id, populate_existing=True)


def tell(unit: Ukm) -> None:
    """Tell the unit's admins how many reported messages wait."""
    admins = select(Membership.user_id).where(
        Membership.ukm_id == unit.id, Membership.is_admin.is_(True)
    )
    told: dict[str, Any] = {"ukm": unit.code, "open": count_waiting(unit.id)}
    wake.tell_all((mine(admin), "ukm.reports", told) for admin in db.session.scalars(admins))
