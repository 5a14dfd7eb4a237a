"""What open pages know of a unit and of the reader's place in it, and telling them of changes."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from myukm.database import iso, utcnow
from myukm.domain.chat.broadcast import topic
from myukm.domain.rights import mine
from myukm.extensions import db
from myukm.live import log as events
from myukm.models import ChatMessage, Membership, Ukm, UkmPin

# What concerns nobody but the person: others have no reason to know who is muted.
PRIVATE = frozenset({"muted", "unmuted"})


def of(place: Membership) -> dict[str, Any]:
    """Return the unit as the member `place` sees it: `describe`, and the member's own rights."""
    return {**describe(place.ukm), **rights(place)}


def describe(ukm: Ukm) -> dict[str, Any]:
    """Return name, description, whether the unit is archived, and what is pinned."""
    return {
        "ukm": ukm.code,
        "name": ukm.name,
        "description": ukm.description,
        "archived": ukm.archived_at is not None,
        "pin": pin(ukm.id),
    }


def pin(ukm_id: int) -> dict[str, Any] | None:
    """Return what is pinned in a unit; the text of a message is the one it has now."""
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
        "at": iso(pinned.at),
    }


_OF_MESSAGE = (ChatMessage.body, ChatMessage.deleted_at)


def rights(place: Membership) -> dict[str, Any]:
    """Return what the member may do: `muted_seconds` is for clients whose clock is wrong."""
    muted = place.muted_until if place.is_muted() else None
    return {
        "is_admin": place.is_admin,
        "muted_until": iso(muted),
        "muted_seconds": max(1, round((muted - utcnow()).total_seconds())) if muted else 0,
    }


def tell_changed(ukm: Ukm) -> None:
    """Append what the unit is now, inside the `write()` that changed it."""
    db.session.flush()
    events.append(topic(ukm.code), "ukm.changed", describe(ukm))


def tell_membership(ukm: Ukm, place: Membership, change: str, *, member: bool = True) -> None:
    """Append how a person stands in a unit now: to the person, and to the unit if it concerns it.

    `change` is a word of the log; not `member`: the person is out of the unit.
    """
    told = {
        "ukm": ukm.code,
        "user_id": place.user_id,
        "name": place.user.name,
        "change": change,
        "member": member,
        "is_admin": place.is_admin and member,
    }
    own = rights(place)
    private = {key: own[key] for key in ("muted_until", "muted_seconds")}
    events.append(mine(place.user_id), "membership", {**told, **private})
    if change not in PRIVATE:
        events.append(topic(ukm.code), "membership", told)
