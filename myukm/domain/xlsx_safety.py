"""Checks of a workbook before it is unpacked (kind, sizes, macros), and limits while it is read.

The sizes are those that the archive declares. They bound the memory, because a part that unpacks to
more than its declared size is read up to that size and then rejected as broken.
"""

from typing import IO, Any, BinaryIO
from zipfile import ZipFile, ZipInfo

from flask_babel import lazy_gettext as _

from myukm.errors import Invalid

MAX_FILES, MAX_RATIO = 2000, 200
# In bytes. A smaller part than `SMALL` may be packed at any ratio.
MAX_UNPACKED, MAX_PART = 256 << 20, 64 << 20
PORTION = 1 << 20
SMALL = 1 << 20
MAX_BETWEEN_ROWS = 4 << 20  # some 200 for each of the 16,384 cells that a row can have
# Limits of the parts that openpyxl loads whole, because an element takes a hundred times the memory
# of its text `<xf/>`.
MAX_TAGS = {"xl/styles.xml": 200_000, "xl/workbook.xml": 200_000, "xl/sharedStrings.xml": 4_000_000}
SHEETS = "xl/worksheets/"
CONTENT_TYPES = "[Content_Types].xml"


def is_zip(start: bytes) -> bool:
    """Return whether a file that begins so is an archive."""
    return start.startswith(b"PK")


def check(file: BinaryIO) -> None:
    """Raise `Invalid` unless the archive looks like a workbook without macros that is safe to
    unpack."""
    with ZipFile(file) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        if len(parts) > MAX_FILES or any(map(_is_bomb, parts)) or _unpacked(parts) > MAX_UNPACKED:
            raise too_large()
        if any(_tags(archive, name) > most for name, most in MAX_TAGS.items() if name in names):
            raise too_large()
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise _refused(_("Berkas ini berisi makro. Simpan sebagai XLSX tanpa makro, atau CSV."))
    if CONTENT_TYPES not in names or not any(name.startswith("xl/") for name in names):
        raise _refused(_("Ini bukan buku kerja Excel (.xlsx). Simpan sebagai XLSX atau CSV."))
    if "xl/workbook.bin" in names:
        raise _refused(_("Ini buku kerja biner (.xlsb). Simpan sebagai XLSX atau CSV."))


class BoundedSheet:
    """The XML of a sheet. Limits the bytes from one row to the next, because the parser keeps them
    in memory."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source, self._left = source, MAX_BETWEEN_ROWS

    def read(self, size: int) -> bytes:
        """Read up to `size` bytes. Raises `Invalid` if too many came since the last row."""
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise too_large()
        return data

    def row_ended(self) -> None:
        """Reset the count of bytes."""
        self._left = MAX_BETWEEN_ROWS


class DiscardingDict(dict[str, Any]):
    """Stores nothing, because the heights of a million empty rows would take half a gigabyte."""

    def __setitem__(self, key: str, value: Any) -> None:
        """Discard the value."""


def too_large() -> Invalid:
    """Return the error for a workbook that would fill the memory."""
    return _refused(
        _("Isi berkas ini terlalu besar bila dibuka. Hapus baris kosong, atau simpan sebagai CSV.")
    )


def _is_bomb(part: ZipInfo) -> bool:
    too_dense = part.file_size > max(SMALL, part.compress_size * MAX_RATIO)
    return too_dense or (part.file_size > MAX_PART and not part.filename.startswith(SHEETS))


def _tags(archive: ZipFile, name: str) -> int:
    with archive.open(name) as part:
        return sum(data.count(b"<") for data in iter(lambda: part.read(PORTION), b""))


def _unpacked(parts: list[ZipInfo]) -> int:
    return sum(part.file_size for part in parts)


def _refused(message: object) -> Invalid:
    return Invalid(message, code="bad_file")
