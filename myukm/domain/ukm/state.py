"""The state of a UKM and of a membership as open pages need it, and publishing its changes."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from myukm.db.types import to_iso8601, utcnow
from myukm.extensions import db
from myukm.live import event_log
from myukm.live.topics import personal_topic, ukm_topic
from myukm.models import ChatMessage, Membership, Ukm, UkmPin

# Changes published only to the member, because others need not know who is muted.
PRIVATE = frozenset({"muted", "unmuted"})


def for_member(membership: Membership) -> dict[str, Any]:
    """Return the UKM's state (`describe`) with the member's own rights."""
    return {**describe(membership.ukm), **rights(membership)}


def describe(ukm: Ukm) -> dict[str, Any]:
    """Return name, description, whether it is archived, and the pinned announcement."""
    return {
        "ukm": ukm.code,
        "name": ukm.name,
        "description": ukm.description,
        "archived": ukm.archived_at is not None,
        "pin": pin(ukm.id),
    }


def pin(ukm_id: int) -> dict[str, Any] | None:
    """Return the pinned announcement; a pinned message has its current text."""
    query = (
        select(UkmPin)
        .options(joinedload(UkmPin.by), joinedload(UkmPin.message).load_only(*_OF_MESSAGE))
        .where(UkmPin.ukm_id == ukm_id)
    )
    pinned = db.session.scalar(query)
    if pinned is None or (pinned.message and pinned.message.deleted_at):
        return None
    return {
        "message_id": pinned.message_id,
        "text": pinned.message.body if pinned.message else pinned.text,
        "by": pinned.by.name if pinned.by else None,
        "at": to_iso8601(pinned.at),
    }


_OF_MESSAGE = (ChatMessage.body, ChatMessage.deleted_at)


def rights(membership: Membership) -> dict[str, Any]:
    """Return the member's rights; `muted_seconds` is for clients with a wrong clock."""
    muted = membership.muted_until if membership.is_muted() else None
    return {
        "is_admin": membership.is_admin,
        "muted_until": to_iso8601(muted),
        "muted_seconds": max(1, round((muted - utcnow()).total_seconds())) if muted else 0,
    }


def publish_changed(ukm: Ukm) -> None:
    """Append the UKM's new state, inside the `transaction()` that changed it."""
    db.session.flush()
    event_log.append(ukm_topic(ukm.code), "ukm.changed", describe(ukm))


def publish_membership(
    ukm: Ukm, membership: Membership, change: str, *, member: bool = True
) -> None:
    """Append a membership's new state for the member, and for the UKM unless it is private.

    `change` is the action in the activity log; `member=False`: the person has left the UKM.
    """
    event = {
        "ukm": ukm.code,
        "user_id": membership.user_id,
        "name": membership.user.name,
        "change": change,
        "member": member,
        "is_admin": membership.is_admin and member,
    }
    own = rights(membership)
    private = {key: own[key] for key in ("muted_until", "muted_seconds")}
    event_log.append(personal_topic(membership.user_id), "membership", {**event, **private})
    if change not in PRIVATE:
        event_log.append(ukm_topic(ukm.code), "membership", event)
