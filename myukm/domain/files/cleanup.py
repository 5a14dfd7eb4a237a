"""Deletes stored bytes that no `ChatFile` names any more, and bytes that a crash left."""

import logging
import time
from collections.abc import Collection, Iterable
from datetime import timedelta
from itertools import cycle

from sqlalchemy import delete, select, union

from myukm.db.session import on_commit, transaction
from myukm.db.types import utcnow
from myukm.extensions import db
from myukm.models import ChatFile
from myukm.storage import storage

UNSENT_FOR = timedelta(days=1)
# Younger orphans and drafts may belong to an upload in progress.
ORPHAN_SECONDS, DRAFT_SECONDS = 3600.0, 86_400.0
PORTION, SHARD_EVERY_SECONDS = 200, 60.0  # names per query
# The storage in 256 parts, by the first two digits of the names.
SHARDS = tuple(f"{number:02x}" for number in range(256))

logger = logging.getLogger(__name__)


def digests_of(files: Iterable[ChatFile]) -> frozenset[str]:
    """Return the names under which the bytes of these files are stored."""
    return frozenset(name for file in files for name in (file.digest, file.thumbnail) if name)


def discard(names: Collection[str]) -> None:
    """Delete these bytes unless a row needs them. `Sweeper` deletes bytes that an error leaves.

    The bytes are trashed, then the rows are queried again. An upload commits its row before it
    stores its bytes, so either the query sees the row, or the bytes are stored anew. Bytes that the
    first query finds needed are not trashed: a bucket copies and then deletes, and between these
    two steps another deletion of the same bytes could lose them.
    """
    ordered = list(names)
    try:
        for start in range(0, len(ordered), PORTION):
            _discard(ordered[start : start + PORTION])
    except OSError as error:
        logger.warning("files: not deleted yet: %s", error)


def _discard(names: Collection[str]) -> None:
    unneeded = set(names) - _needed(names)
    for name in unneeded:
        storage().trash(name)
    _settle(unneeded)


def _settle(names: Collection[str]) -> None:
    """Restore trashed bytes that a row needs, and purge the others."""
    needed = _needed(names)
    for name in names:
        if name in needed:
            storage().restore(name)
        else:
            storage().purge(name)


def _needed(names: Collection[str]) -> set[str]:
    db.session.rollback()  # a new transaction, which sees rows committed a moment ago
    columns = (ChatFile.digest, ChatFile.thumbnail)
    queries = [select(column).where(column.in_(names)) for column in columns]
    return {name for name in db.session.scalars(union(*queries)) if name}


def prune_unsent() -> bool:
    """Delete up to `PORTION` files that were not sent within a day; return if more may be left."""
    late = (ChatFile.message_id.is_(None), ChatFile.created_at < utcnow() - UNSENT_FOR)
    with transaction() as session:
        files = session.scalars(select(ChatFile).where(*late).limit(PORTION)).all()
        ids = [file.id for file in files]
        session.execute(delete(ChatFile).where(ChatFile.id.in_(ids), *late))
        on_commit(discard, digests_of(files))
    return len(files) == PORTION


class Sweeper:
    """Deletes bytes and drafts that killed processes left. Checks one of `SHARDS` per minute."""

    def __init__(self) -> None:
        self._shards, self._next = cycle(SHARDS), 0.0

    def run(self) -> None:
        """Check the next shard when it is due (a periodic task of the leader)."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SHARD_EVERY_SECONDS
        sweep(next(self._shards))


def sweep(shard: str) -> None:
    """Delete unneeded bytes whose names begin with these two digits, and the trash and the drafts
    that killed processes left behind."""
    try:
        _settle(list(storage().trashed()))
        discard(list(storage().names(shard, ORPHAN_SECONDS)))
        storage().delete_drafts(DRAFT_SECONDS)
    except OSError as error:
        logger.warning("files: not swept: %s", error)
