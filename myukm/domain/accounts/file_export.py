"""A user's uploaded files in the data export."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from myukm.db.types import to_iso8601
from myukm.extensions import db
from myukm.models import ChatFile, Ukm


def exist(user_id: int) -> bool:
    """Return whether the user has uploaded files."""
    return db.session.execute(_of(user_id).limit(1)).first() is not None


def files(user_id: int) -> Iterator[tuple[ChatFile, str]]:
    """Yield the user's files and their UKMs' codes, oldest first. No transaction stays open."""
    last = 0
    while found := _after(user_id, last):
        last = found[0].id
        yield found


def _after(user_id: int, last: int) -> tuple[ChatFile, str] | None:
    row = db.session.execute(_of(user_id).where(ChatFile.id > last).limit(1)).first()
    if row:
        # Else the rollback forgets it, and its next use reads it again in a new transaction.
        db.session.expunge(row[0])
    db.session.rollback()
    return (row[0], row[1]) if row else None


def as_json(file: ChatFile, code: str) -> dict[str, Any]:
    """Return what the document says of a file; `path` is where the archive has it."""
    return {
        "id": file.id,
        "ukm": code,
        "message_id": file.message_id,
        "name": file.name,
        "type": file.type,
        "path": file.path,
        "created_at": to_iso8601(file.created_at),
    }


def _of(user_id: int) -> Any:
    return (
        select(ChatFile, Ukm.code)
        .join(Ukm, Ukm.id == ChatFile.ukm_id)
        .where(ChatFile.user_id == user_id, ChatFile.stored_at.is_not(None))
        .order_by(ChatFile.id)
    )
