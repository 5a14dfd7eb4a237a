"""Publishes a changed photo or name to open chats."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select, union

from myukm.db.session import in_literals
from myukm.extensions import db
from myukm.live import event_log
from myukm.live.topics import ukm_topic
from myukm.models import ChatMessage, Membership, Ukm, User


def ukm_codes(user_id: int) -> Sequence[str]:
    """Return the codes of UKMs in which the account is a member or has written messages."""
    seen = union(
        select(Membership.ukm_id).where(Membership.user_id == user_id),
        select(ChatMessage.ukm_id).where(ChatMessage.user_id == user_id),
    )
    return db.session.scalars(select(Ukm.code).where(Ukm.id.in_(seen)).order_by(Ukm.code)).all()


def publish(user: User, codes: Sequence[str]) -> None:
    """Append the event `chat.person` for each of these UKMs, inside `transaction()`. The log keeps
    only the ids: a replay adds the name and photo of that time."""
    profile = _profile(user)
    for code in codes:
        ids = {"ukm": code, "user_id": user.id}
        event_log.append(ukm_topic(code), "chat.person", ids | profile, user.id, ids)


def profiles(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the names and photos of these accounts as they are now."""
    users = db.session.scalars(select(User).where(in_literals(User.id, ids)))
    return {user.id: _profile(user) for user in users}


def names(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the names of these accounts as they are now."""
    users = db.session.execute(select(User.id, User.name).where(in_literals(User.id, ids)))
    return {user.id: {"name": user.name} for user in users}


def _profile(user: User) -> dict[str, Any]:
    return {"name": user.name, "photo": user.photo}
