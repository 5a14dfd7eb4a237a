"""Helpers for ZIP archives that are written piece by piece."""

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from flask_babel import to_user_timezone

from myukm.models import ChatFile
from myukm.storage import storage

BLOCK_BYTES = 64 * 1024


def entry(path: str, at: datetime, compression: int = ZIP_DEFLATED) -> ZipInfo:
    """Return the header of an archive's entry; `at` is its modification time."""
    info = ZipInfo(path, to_user_timezone(at).timetuple()[:6])
    info.compress_type, info.external_attr = compression, 0o644 << 16
    return info


def write_stored(archive: ZipFile, file: ChatFile) -> Iterator[None]:
    """Write a file's bytes and yield after each block; nothing if they were deleted meanwhile."""
    try:
        source = storage().open(file.digest)
    except FileNotFoundError:
        return
    # Not compressed again, because nearly all file types of the chat are compressed formats.
    with source, archive.open(entry(file.path, file.created_at, ZIP_STORED), "w") as target:
        while block := source.read(BLOCK_BYTES):
            target.write(block)
            yield


class Outgoing(io.RawIOBase):
    """A buffer between an archive, which writes to it, and a response, which empties it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        """Return and delete the bytes written since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
