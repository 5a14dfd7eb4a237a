"""Reports of messages, and their resolution by the UKM's admins."""

from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from myukm.db.session import on_commit, transaction
from myukm.domain import activity
from myukm.domain.actor import Actor
from myukm.domain.chat import messages, unsettled_reports
from myukm.domain.chat.validation import check_not_deleted, find_message
from myukm.domain.flood import count_act
from myukm.domain.paging import Page, paginate
from myukm.domain.text_normalization import clean, is_blank
from myukm.domain.ukm import memberships
from myukm.domain.ukm.authorization import authorize_and_lock
from myukm.errors import Conflict, Invalid, NotFound
from myukm.extensions import db
from myukm.models import ChatMessage, MessageReport

MAX_REASON = 500


class ReportedMessage(NamedTuple):
    """A message that has reports without a decision, and these reports."""

    message: ChatMessage
    reports: Sequence[MessageReport]


def report(user_id: int, code: str, message_id: int, reason: str) -> None:
    """Report another member's message, once.

    Raises `NotFound`, `Invalid` for a reason that is blank or over 500 characters, `Conflict` for
    the user's own message, a deleted message, or a second report.
    """
    text = _checked(reason)
    with transaction() as session:
        membership = memberships.get_membership(user_id, code, lock=True)
        count_act(user_id)
        message = find_message(membership.ukm_id, message_id)
        check_not_deleted(message)
        if message.user_id == user_id:
            raise Conflict(_("Ini pesan Anda sendiri."), code="own_message")
        about = {"ukm_id": membership.ukm_id, "message_id": message.id, "user_id": user_id}
        session.add(MessageReport(**about, reason=text))
        try:
            session.flush()
        except IntegrityError:
            raise Conflict(_("Anda sudah melaporkan pesan ini."), code="already_reported") from None
        on_commit(unsettled_reports.publish, membership.ukm)


def _checked(reason: str) -> str:
    text = clean(reason) if len(reason) <= 4 * MAX_REASON else ""
    if is_blank(text) or len(text) > MAX_REASON:
        raise Invalid(_("Tulis alasannya, 1 sampai 500 karakter."), code="bad_reason")
    return text


def open_reports(ukm_id: int, page: int = 1) -> Page[ReportedMessage]:
    """Return a page of reported messages without a decision, oldest first."""
    query = (
        select(ChatMessage)
        .options(joinedload(ChatMessage.user))
        .where(
            ChatMessage.id.in_(
                select(MessageReport.message_id).where(unsettled_reports.of_ukm(ukm_id))
            )
        )
        .order_by(ChatMessage.id)
    )
    found = paginate(query, page)
    by_message = _reports(ukm_id, [message.id for message in found.items])
    reported = [ReportedMessage(message, by_message[message.id]) for message in found.items]
    return Page(reported, found.page, found.pages, found.total)


def _reports(ukm_id: int, message_ids: Sequence[int]) -> dict[int, list[MessageReport]]:
    query = (
        select(MessageReport)
        .options(joinedload(MessageReport.user))
        .where(unsettled_reports.of_ukm(ukm_id), MessageReport.message_id.in_(message_ids))
        .order_by(MessageReport.id)
    )
    found: dict[int, list[MessageReport]] = {message_id: [] for message_id in message_ids}
    for one in db.session.scalars(query):
        found[one.message_id].append(one)
    return found


def resolve(actor: Actor, code: str, message_id: int, *, erase: bool) -> None:
    """Settle all reports of a message: erase the message, or dismiss the reports.

    Raises `NotFound` if it has no reports without a decision, `Forbidden`.
    """
    with transaction() as session:
        ukm = authorize_and_lock(actor, code)
        if not unsettled_reports.settle(session, ukm, message_id):
            raise NotFound(_("Laporan ini tidak ada."), code="no_such_report")
        message = _message(message_id)
        if erase:
            messages.erase(message)
        action = "report_deleted" if erase else "report_dismissed"
        activity.record_in_ukm(ukm.id, actor.user_id, action, person_id=message.user_id)


def _message(message_id: int) -> ChatMessage:
    return db.session.get_one(ChatMessage, message_id, populate_existing=True)
