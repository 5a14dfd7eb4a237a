"""Drafts: files of this machine that are being received, before they are stored or refused."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from myukm.private_files import FILE, FOLDER


class Drafts:
    """A folder of drafts, created when it is first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def new(self) -> Path:
        """Return the path of a new, empty private file."""
        make_folder(self.folder)
        draft = self.folder / secrets.token_hex(16)
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE))
        return draft

    def delete_old(self, older_than: float) -> None:
        """Delete drafts older than `older_than` seconds, which killed processes left behind."""
        for entry in entries(self.folder):
            if age(entry) > older_than:
                Path(entry.path).unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Create a private folder and its parents, unless it exists."""
    folder.mkdir(mode=FOLDER, parents=True, exist_ok=True)


def entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    """Yield the entries of a folder, nothing if it does not exist."""
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as found:
        yield from list(found)


def age(entry: "os.DirEntry[str]") -> float:
    """Return the seconds since the file was written, 0 if it no longer exists."""
    with suppress(FileNotFoundError):
        return time.time() - entry.stat().st_mtime
    return 0.0
