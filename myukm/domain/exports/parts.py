"""An export's parts as one file that can be read and written further; one part is in memory."""

import io
from typing import Any

from sqlalchemy import select

from myukm.db.session import release_connection
from myukm.domain.exports import store
from myukm.extensions import db
from myukm.models import ExportPart


class PartsFile(io.RawIOBase):
    """The file of an export that this job holds. Storing a part raises `HolderLostError` if the
    job does not hold the export any more."""

    def __init__(self, held: store.Held) -> None:
        self._held, self._at, self.size = held, 0, held.size
        self._number, self._part, self._changed = -1, bytearray(), False

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view, read = memoryview(buffer).cast("B"), 0
        while read < len(view) and self._at < self.size:
            part, start = self._current_part(), self._at % store.PART_BYTES
            found = part[start : start + min(len(view) - read, self.size - self._at)]
            if not found:  # a part is missing
                break
            view[read : read + len(found)] = found
            self._at, read = self._at + len(found), read + len(found)
        return read

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        length = len(rest)
        while rest:
            part, start = self._current_part(), self._at % store.PART_BYTES
            piece = rest[: store.PART_BYTES - start]
            part[start : start + len(piece)] = piece
            self._changed, self._at = True, self._at + len(piece)
            self.size = max(self.size, self._at)
            rest = rest[len(piece) :]
        return length

    def truncate(self, size: int | None = None) -> int:
        self.size = self._at if size is None else size
        return self.size

    def flush(self) -> None:
        if self._changed:
            start = self._number * store.PART_BYTES
            store.put_part(self._held, self._number, bytes(self._part[: self.size - start]))
            self._changed = False

    def close(self) -> None:
        """Discard bytes that were not flushed, because a failed job must store nothing more."""
        self._changed = False
        super().close()

    def _current_part(self) -> bytearray:
        """Return the part at the file's position; an empty part if it is not written yet."""
        number = self._at // store.PART_BYTES
        if number != self._number:
            self.flush()
            self._number, self._part = number, self._read(number)
        return self._part

    def _read(self, number: int) -> bytearray:
        left = self.size - number * store.PART_BYTES
        if left <= 0:
            return bytearray()
        place = (ExportPart.export_id == self._held.id, ExportPart.number == number)
        data = db.session.scalar(select(ExportPart.data).where(*place))
        release_connection()
        return bytearray((data or b"")[:left])
