"""ZIP archives that are written piece by piece, with the bytes of stored files."""

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from flask_babel import to_user_timezone

from myukm.models import ChatFile
from myukm.storage import storage

BLOCK = 64 * 1024


def entry(path: str, at: datetime, how: int = ZIP_DEFLATED) -> ZipInfo:
    """Return the head of an archive's entry; `how` is its compression."""
    info = ZipInfo(path, to_user_timezone(at).timetuple()[:6])
    info.compress_type, info.external_attr = how, 0o644 << 16
    return info


def write_stored(archive: ZipFile, file: ChatFile) -> Iterator[None]:
    """Write a file's bytes block by block, unless they were deleted meanwhile."""
    try:
        source = storage().open(file.digest)
    except FileNotFoundError:
        return
    # What may be sent is compressed already.
    with source, archive.open(entry(file.path, file.created_at, ZIP_STORED), "w") as target:
        while block := source.read(BLOCK):
            target.write(block)
            yield


class Outgoing(io.RawIOBase):
    """What an archive writes, until it is sent."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(self._pieces[-1])

    def take(self) -> bytes:
        """Return what was written since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
