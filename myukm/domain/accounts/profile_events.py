"""Publishes a changed photo or name to open chats."""

from collections.abc import Sequence

from sqlalchemy import select, union

from myukm.extensions import db
from myukm.live import event_log
from myukm.models import ChatMessage, Membership, Ukm, User


def ukm_codes(user_id: int) -> Sequence[str]:
    """Return the codes of UKMs where the account is a member or wrote messages."""
    seen = union(
        select(Membership.ukm_id).where(Membership.user_id == user_id),
        select(ChatMessage.ukm_id).where(ChatMessage.user_id == user_id),
    )
    return db.session.scalars(select(Ukm.code).where(Ukm.id.in_(seen)).order_by(Ukm.code)).all()


def publish(user: User, codes: Sequence[str]) -> None:
    """Append `chat.person` for these UKMs, inside `transaction()`."""
    for code in codes:
        person = {"ukm": code, "user_id": user.id, "name": user.name, "photo": user.photo}
        event_log.append(f"ukm:{code}", "chat.person", person)
