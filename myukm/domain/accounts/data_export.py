"""Export of a user's data as one streamed JSON document."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from myukm.db.types import to_iso8601
from myukm.domain.accounts import own_activity
from myukm.extensions import db
from myukm.models import LoginSession, Membership, Photo, Ukm, UkmBlock, UkmPin, User


def export(user_id: int) -> Iterator[str]:
    """Yield the document. No transaction stays open between portions, because the download may be
    slow."""
    parts = {
        "account": _account,
        "memberships": _memberships,
        "blocks": _blocks,
        "pins": _pins,
        "logins": _logins,
    }
    for key, part in parts.items():
        yield f'{"{" if key == "account" else ","}"{key}":{_json(part(user_id))}'
        db.session.rollback()
    for key, portion in own_activity.LISTS.items():
        yield f',"{key}":['
        yield from _whole_list(user_id, portion)
        yield "]"
    yield "}\n"


def _whole_list(user_id: int, portion: own_activity.Portion) -> Iterator[str]:
    """Yield a list of any length in portions, oldest first."""
    last, separator = None, ""
    while batch := portion(user_id, last):
        db.session.rollback()
        yield separator + ",".join(_json(entry) for _place, entry in batch)
        last, separator = batch[-1][0], ","


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _account(user_id: int) -> dict[str, Any]:
    user, photo = db.session.get_one(User, user_id), db.session.get(Photo, user_id)
    return {
        "user_id": user.id,
        "nim": user.nim,
        "name": user.name,
        "role": user.role,
        "created_at": to_iso8601(user.created_at),
        "last_seen_at": to_iso8601(user.last_seen_at),
        "attacked_at": to_iso8601(user.attacked_at),
        "photo_webp_base64": b64encode(photo.large).decode() if photo else None,
    }


def _memberships(user_id: int) -> list[dict[str, Any]]:
    query = (
        select(
            Ukm.code,
            Ukm.name,
            Membership.is_admin,
            Membership.muted_until,
            Membership.joined_at,
            Membership.notices,
        )
        .join_from(Membership, Ukm)
        .where(Membership.user_id == user_id)
        .order_by(Ukm.code)
    )
    return [
        {
            "ukm": code,
            "name": name,
            "is_admin": is_admin,
            "muted_until": to_iso8601(muted_until),
            "joined_at": to_iso8601(joined_at),
            "notices": notices,
        }
        for code, name, is_admin, muted_until, joined_at, notices in db.session.execute(query)
    ]


def _blocks(user_id: int) -> list[dict[str, Any]]:
    """Return the UKMs that block the user."""
    query = (
        select(Ukm.code, UkmBlock.at)
        .join_from(UkmBlock, Ukm, Ukm.id == UkmBlock.ukm_id)
        .where(UkmBlock.user_id == user_id)
        .order_by(Ukm.code)
    )
    return [{"ukm": code, "at": to_iso8601(at)} for code, at in db.session.execute(query)]


def _pins(user_id: int) -> list[dict[str, Any]]:
    """Return what the user pinned: a message, or a text of its own."""
    query = (
        select(Ukm.code, UkmPin)
        .join_from(UkmPin, Ukm, Ukm.id == UkmPin.ukm_id)
        .where(UkmPin.by_id == user_id)
        .order_by(Ukm.code)
    )
    return [
        {"ukm": code, "message_id": pin.message_id, "text": pin.text, "at": to_iso8601(pin.at)}
        for code, pin in db.session.execute(query)
    ]


def _logins(user_id: int) -> list[dict[str, Any]]:
    query = (
        select(LoginSession.created_at, LoginSession.seen_at)
        .where(LoginSession.user_id == user_id)
        .order_by(LoginSession.created_at)
    )
    return [
        {"at": to_iso8601(at), "seen_at": to_iso8601(seen)}
        for at, seen in db.session.execute(query)
    ]
