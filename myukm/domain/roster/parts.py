"""The file of an open import in the database, in parts: web servers and workers share no disk."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from myukm.domain import csv_table
from myukm.extensions import db
from myukm.models import RosterPart

MAX_BYTES, PART_BYTES, IN_MEMORY_BYTES = 32 << 20, 512 << 10, 8 << 20


def store(session: Session, import_id: int, file: BinaryIO, limit: int | None = None) -> None:
    """Store a file, inside a `transaction()`. Raises `too_large` if it has more than `limit`
    bytes, by default `MAX_BYTES`."""
    limit = limit or MAX_BYTES
    for number in count():
        data = file.read(PART_BYTES)
        if not data:
            return
        if number * PART_BYTES + len(data) > limit:
            raise csv_table.too_large(limit)
        row = {"import_id": import_id, "number": number, "data": data}
        session.execute(insert(RosterPart), row)


@contextmanager
def opened(import_id: int) -> Iterator[BinaryIO]:
    """Open the stored file of an import; an empty file if none is stored."""
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
        for data in _parts(import_id):
            file.write(data)
        file.seek(0)
        yield cast(BinaryIO, file)


def is_stored(import_id: int) -> bool:
    """Return whether the file of an import is stored."""
    stored = select(RosterPart.number).where(RosterPart.import_id == import_id)
    return db.session.scalar(stored.limit(1)) is not None


def clear(session: Session, import_id: int) -> None:
    """Delete the stored file of an import, inside a `transaction()`."""
    session.execute(delete(RosterPart).where(RosterPart.import_id == import_id))


def _parts(import_id: int) -> Iterable[bytes]:
    query = select(RosterPart.data).where(RosterPart.import_id == import_id)
    for number in count():
        data = db.session.scalar(query.where(RosterPart.number == number))
        if data is None:
            return
        yield data
