"""The state of a UKM and of a membership as open pages need it, and publishing its changes."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import joinedload

from myukm.db.session import in_literals
from myukm.db.types import to_iso8601, utcnow
from myukm.domain.ukm import readers
from myukm.extensions import db
from myukm.live import event_log, pubsub
from myukm.live.topics import personal_topic, ukm_topic
from myukm.models import ChatMessage, Membership, Ukm, UkmPin, User

# Changes published only to the member, because others need not know who is muted.
PRIVATE = frozenset({"muted", "unmuted"})


def for_member(membership: Membership) -> dict[str, Any]:
    """Return the UKM's state (`describe`) with the member's own rights."""
    return {**describe(membership.ukm), **rights(membership)}


def describe(ukm: Ukm) -> dict[str, Any]:
    """Return name, description, whether it is archived, and the pinned announcement."""
    return _described(ukm, pin(ukm.id))


def by_ids(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the states of these UKMs (`describe`) with two queries."""
    pins = _pins(ids)
    ukms = db.session.scalars(select(Ukm).where(in_literals(Ukm.id, ids)))
    return {ukm.id: _described(ukm, pins.get(ukm.id)) for ukm in ukms}


def _described(ukm: Ukm, pinned: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "ukm": ukm.code,
        "name": ukm.name,
        "description": ukm.description,
        "archived": ukm.archived_at is not None,
        "pin": pinned,
    }


def pin(ukm_id: int) -> dict[str, Any] | None:
    """Return the pinned announcement; a pinned message has its current text."""
    return _pins([ukm_id]).get(ukm_id)


def _pins(ukm_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    pins = [
        pinned
        for pinned in db.session.scalars(_PINS, {"ukms": list(ukm_ids)})
        if pinned.message is None or not pinned.message.deleted_at
    ]
    numbers = readers.counts([pinned.ukm_id for pinned in pins]) if pins else {}
    nobody = readers.Readers(0, 0)
    return {each.ukm_id: _pinned(each, numbers.get(each.ukm_id, nobody)) for each in pins}


def _pinned(pinned: UkmPin, numbers: readers.Readers) -> dict[str, Any]:
    return {
        **numbers._asdict(),
        "message_id": pinned.message_id,
        "text": pinned.message.body if pinned.message else pinned.text,
        "by": pinned.by.name if pinned.by else None,
        "at": to_iso8601(pinned.at),
    }


# Built once, because every chat page needs it.
_PINS = (
    select(UkmPin)
    .options(joinedload(UkmPin.by).load_only(User.name))
    .options(joinedload(UkmPin.message).load_only(ChatMessage.body, ChatMessage.deleted_at))
    .where(UkmPin.ukm_id.in_(bindparam("ukms", expanding=True, literal_execute=True)))
)


def rights(membership: Membership) -> dict[str, Any]:
    """Return the member's rights; `muted_seconds` is for clients with a wrong clock."""
    muted = membership.muted_until if membership.is_muted() else None
    return {
        "is_admin": membership.is_admin,
        "muted_until": to_iso8601(muted),
        "muted_seconds": max(1, round((muted - utcnow()).total_seconds())) if muted else 0,
    }


def publish_changed(ukm: Ukm) -> None:
    """Append the event with the UKM's new state, inside the `transaction()` that changed it."""
    db.session.flush()
    event_log.append(ukm_topic(ukm.code), "ukm.changed", describe(ukm), ref=ukm.id)


def publish_membership(
    ukm: Ukm, membership: Membership, change: str, *, member: bool = True
) -> None:
    """Append the event of a changed membership for the member, and for the UKM unless `PRIVATE`.

    `change` is the action in the activity log; `member=False`: the person has left the UKM.
    """
    event = {
        "ukm": ukm.code,
        "user_id": membership.user_id,
        "change": change,
        "member": member,
        "is_admin": membership.is_admin and member,
    }
    own = rights(membership)
    private = {key: own[key] for key in ("muted_until", "muted_seconds")}
    _append(personal_topic(membership.user_id), membership.user, event | private)
    if change not in PRIVATE:
        _append(ukm_topic(ukm.code), membership.user, event)


def publish_to_admins(ukm: Ukm, kind: str, event: dict[str, Any]) -> None:
    """Publish a transient event to each admin of the UKM."""
    admins = select(Membership.user_id).where(
        Membership.ukm_id == ukm.id, Membership.is_admin.is_(True)
    )
    pubsub.publish_many(
        (personal_topic(admin), kind, event) for admin in db.session.scalars(admins)
    )


def _append(topic: str, user: User, stored: dict[str, Any]) -> None:
    event_log.append(topic, "membership", stored | {"name": user.name}, user.id, stored)
