"""The bytes of uploaded files in a backup: members of the archive, named by their SHA-256."""

import hashlib
import shutil
from collections.abc import Iterator
from io import BufferedIOBase
from typing import cast
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from sqlalchemy import Connection, select, union

from myukm.models import ChatFile
from myukm.storage import storage

FOLDER = "files/"
BLOCK_BYTES = 1 << 20


def write(archive: ZipFile, connection: Connection) -> int:
    """Add the bytes of all files that `connection` sees; return how many files were added.

    A file that is deleted while the backup is being made may be missing in it.
    """
    columns = (ChatFile.digest, ChatFile.thumbnail)
    stored = ChatFile.stored_at.is_not(None)
    names = union(*(select(each).where(each.is_not(None), stored) for each in columns))
    count = 0
    for name in filter(None, connection.scalars(names).all()):
        try:
            source = storage().open(name)
        except FileNotFoundError:
            continue
        member = ZipInfo(FOLDER + name)
        member.compress_type = ZIP_STORED  # pictures and office files are compressed already
        with source, archive.open(member, "w", force_zip64=True) as copy:
            shutil.copyfileobj(source, copy, BLOCK_BYTES)
        count += 1
    return count


def damaged_members(archive: ZipFile) -> Iterator[str]:
    """Yield the members whose bytes do not have the SHA-256 that names them."""
    for member in _members(archive):
        with archive.open(member) as file:
            found = hashlib.file_digest(cast(BufferedIOBase, file), "sha256").hexdigest()
            if found != member.removeprefix(FOLDER):
                yield member


def count(archive: ZipFile) -> int:
    """Return how many files a backup has."""
    return len(_members(archive))


def restore(archive: ZipFile) -> None:
    """Store the bytes of all files of a backup. Files that are stored already stay."""
    for member in _members(archive):
        draft = storage().new_draft()
        try:
            with archive.open(member) as source, draft.open("wb") as copy:
                shutil.copyfileobj(source, copy, BLOCK_BYTES)
            storage().store(draft, member.removeprefix(FOLDER))
        finally:
            draft.unlink(missing_ok=True)


def _members(archive: ZipFile) -> list[str]:
    return [name for name in archive.namelist() if name.startswith(FOLDER)]
