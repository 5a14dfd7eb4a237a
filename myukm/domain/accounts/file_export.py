"""A user's uploaded files in the data export."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from myukm.db.types import to_iso8601
from myukm.extensions import db
from myukm.models import ChatFile, Ukm

PORTION = 100


def has_files(user_id: int) -> bool:
    """Return whether the user has uploaded files."""
    return db.session.execute(_of(user_id).limit(1)).first() is not None


def files(user_id: int) -> Iterator[tuple[ChatFile, str]]:
    """Yield the user's files and their UKMs' codes, oldest first.

    No transaction is open between two files, because the download may be slow.
    """
    last = 0
    while found := _after(user_id, last):
        yield from ((row[0], row[1]) for row in found)
        last = found[-1][0].id


def _after(user_id: int, last: int) -> Sequence[Any]:
    found = db.session.execute(_of(user_id).where(ChatFile.id > last).limit(PORTION)).all()
    # Expunged, because the rollback would expire them and their next use would open a transaction.
    db.session.expunge_all()
    db.session.rollback()
    return found


def as_json(file: ChatFile, code: str) -> dict[str, Any]:
    """Return the file's entry in the JSON document; `path` is the file's path in the archive."""
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
