"""A user's messages and activity, read in portions for the data export."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import or_, select, tuple_

from myukm.db.types import to_iso8601
from myukm.extensions import db
from myukm.models import Activity, ChatMessage, ChatReaction, MessageReport, Ukm, User

BATCH = 500
# Actions whose subject begins with an account's NIM, beside those of `user.`.
ON_ACCOUNTS = ("attack.account", "siswa.link", "siswa.unlink")

# A function that takes an account's id and the key of the last entry (None at first), and returns
# the next entries, each with its key.
Portion = Callable[[int, Any], Sequence[tuple[Any, dict[str, Any]]]]


def messages(user_id: int, last: Any) -> Sequence[tuple[Any, dict[str, Any]]]:
    """Return the next messages that the user wrote."""
    query = (
        select(ChatMessage, Ukm.code)
        .join(Ukm, Ukm.id == ChatMessage.ukm_id)
        .where(ChatMessage.user_id == user_id, ChatMessage.id > (last or 0))
        .order_by(ChatMessage.id)
        .limit(BATCH)
    )
    return [
        (
            message.id,
            {
                "id": message.id,
                "ukm": code,
                "message": message.body,
                "created_at": to_iso8601(message.created_at),
                "edited_at": to_iso8601(message.edited_at),
                "deleted": message.deleted_at is not None,
            },
        )
        for message, code in db.session.execute(query)
    ]


def reactions(user_id: int, last: Any) -> Sequence[tuple[Any, dict[str, Any]]]:
    """Return the next reactions of the user, ordered by message."""
    place = tuple_(ChatReaction.message_id, ChatReaction.emoji)
    query = (
        select(ChatReaction.message_id, ChatReaction.emoji, Ukm.code)
        .join(ChatMessage, ChatMessage.id == ChatReaction.message_id)
        .join(Ukm, Ukm.id == ChatMessage.ukm_id)
        .where(ChatReaction.user_id == user_id, place > (last or (0, "")))
        .order_by(ChatReaction.message_id, ChatReaction.emoji)
        .limit(BATCH)
    )
    return [
        ((message_id, emoji), {"ukm": code, "message_id": message_id, "emoji": emoji})
        for message_id, emoji, code in db.session.execute(query)
    ]


def reports(user_id: int, last: Any) -> Sequence[tuple[Any, dict[str, Any]]]:
    """Return the next reports of messages by the user."""
    query = (
        select(MessageReport, Ukm.code)
        .join(Ukm, Ukm.id == MessageReport.ukm_id)
        .where(MessageReport.user_id == user_id, MessageReport.id > (last or 0))
        .order_by(MessageReport.id)
        .limit(BATCH)
    )
    return [
        (
            report.id,
            {
                "ukm": code,
                "message_id": report.message_id,
                "reason": report.reason,
                "at": to_iso8601(report.at),
                "settled_at": to_iso8601(report.settled_at),
            },
        )
        for report, code in db.session.execute(query)
    ]


def ukm_trail(user_id: int, last: Any) -> Sequence[tuple[Any, dict[str, Any]]]:
    """Return the next lines of UKMs' logs: what the user did, or what was done to the user."""
    query = (
        select(Activity, Ukm.code)
        .join(Ukm, Ukm.id == Activity.ukm_id)
        .where(or_(Activity.actor_id == user_id, Activity.person_id == user_id))
        .where(Activity.id > (last or 0))
        .order_by(Activity.id)
        .limit(BATCH)
    )
    return [
        (
            line.id,
            {
                "ukm": code,
                "at": to_iso8601(line.at),
                "action": line.verb,
                "by_me": line.actor_id == user_id,
                "detail": line.shown_detail,
            },
        )
        for line, code in db.session.execute(query)
    ]


def trail(user_id: int, last: Any) -> Sequence[tuple[Any, dict[str, Any]]]:
    """Return the next lines of the audit trail: what the user did, or what was done to the user."""
    user = db.session.get_one(User, user_id)
    found: list[Activity] = []
    while not found and (lines := _trail(user, last)):
        # The subjects are compared again, because LIKE ignores case on two of the databases.
        about = f"{user.nim} "
        found = [x for x in lines if x.actor_id == user_id or x.subject.startswith(about)]
        last = lines[-1].id
    return [
        (
            line.id,
            {
                "at": to_iso8601(line.at),
                "action": line.action,
                "by_me": line.actor_id == user_id,
                "subject": line.subject,
            },
        )
        for line in found
    ]


def _trail(user: User, last: Any) -> Sequence[Activity]:
    """Return the next lines by the account, and the lines whose subject begins with its NIM.

    The subject is compared only for actions on accounts, because other subjects may begin with a
    NIM by chance, and only since the account exists, because another account may have had the NIM
    before.
    """
    begins = Activity.subject.startswith(f"{user.nim} ", autoescape=True)
    on_account = Activity.action.startswith("user.") & (Activity.action != "user.import")
    about = begins & (on_account | Activity.action.in_(ON_ACCOUNTS))
    own = or_(Activity.actor_id == user.id, about & (Activity.at >= user.created_at))
    query = select(Activity).where(Activity.audited, own, Activity.id > (last or 0))
    return db.session.scalars(query.order_by(Activity.id).limit(BATCH)).all()


LISTS: dict[str, Portion] = {
    "messages": messages,
    "reactions": reactions,
    "reports": reports,
    "ukm_trail": ukm_trail,
    "trail": trail,
}
