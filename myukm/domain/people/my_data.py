"""What the program knows of a person, for that person: one JSON document, piece by piece."""

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from myukm.database import iso
from myukm.extensions import db
from myukm.models import ChatMessage, LoginSession, Membership, Photo, Ukm, User

BATCH = 500


def export(user_id: int) -> Iterator[str]:
    """Yield the document; no transaction stays open while its reader takes their time."""
    parts = {"account": _account, "memberships": _memberships, "logins": _logins}
    for key, part in parts.items():
        yield f'{"{" if key == "account" else ","}"{key}":{_json(part(user_id))}'
        db.session.rollback()
    yield ',"messages":['
    yield from _messages(user_id)
    yield "]}\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _account(user_id: int) -> dict[str, Any]:
    user, photo = db.session.get_one(User, user_id), db.session.get(Photo, user_id)
    return {
        "user_id": user.id,
        "nim": user.nim,
        "name": user.name,
        "role": user.role,
        "created_at": iso(user.created_at),
        "last_seen_at": iso(user.last_seen_at),
        "photo_webp_base64": b64encode(photo.large).decode() if photo else None,
    }


def _memberships(user_id: int) -> list[dict[str, Any]]:
    query = (
        select(
            Ukm.code, Ukm.name, Membership.is_admin, Membership.muted_until, Membership.joined_at
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
            "muted_until": iso(muted_until),
            "joined_at": iso(joined_at),
        }
        for code, name, is_admin, muted_until, joined_at in db.session.execute(query)
    ]


def _logins(user_id: int) -> list[dict[str, Any]]:
    query = (
        select(LoginSession.created_at)
        .where(LoginSession.user_id == user_id)
        .order_by(LoginSession.created_at)
    )
    return [{"at": iso(at)} for at in db.session.scalars(query)]


def _messages(user_id: int) -> Iterator[str]:
    """Yield the person's messages in the order they were written."""
    last, separator = 0, ""
    while batch := _next_messages(user_id, last):
        yield separator + ",".join(map(_json, batch))
        last, separator = batch[-1]["id"], ","


def _next_messages(user_id: int, last: int) -> list[dict[str, Any]]:
    query = (
        select(ChatMessage, Ukm.code)
        .join(Ukm, Ukm.id == ChatMessage.ukm_id)
        .where(ChatMessage.user_id == user_id, ChatMessage.id > last)
        .order_by(ChatMessage.id)
        .limit(BATCH)
    )
    batch = [
        {
            "id": message.id,
            "ukm": code,
            "message": message.body,
            "created_at": iso(message.created_at),
            "edited_at": iso(message.edited_at),
            "deleted": message.deleted_at is not None,
        }
        for message, code in db.session.execute(query)
    ]
    db.session.rollback()
    return batch
