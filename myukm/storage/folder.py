"""A folder, which the web servers of several machines may share.

Stored bytes are at `ab/cd/abcd…`, bytes that are about to be deleted in `trash/`, uploads that are
being received in `drafts/`. A name appears only with all its bytes: it is a hard link to a draft
that is completely on disk.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from gevent import get_hub
from gevent.monkey import is_module_patched

from myukm.storage.drafts import Drafts, age, entries, make_folder


class Folder:
    """The storage in a folder, created with its parents when it is first needed."""

    def __init__(self, root: Path) -> None:
        self.root, self._drafts, self._trash = root, Drafts(root / "drafts"), root / "trash"

    def new_draft(self) -> Path:
        """Return the path of a new, empty private file."""
        return self._drafts.new()

    def store(self, draft: Path, name: str) -> None:
        """Store a draft's bytes under `name`, durably. The draft stays."""
        place = self._place(name)
        make_folder(place.parent)
        _sync(draft)
        try:
            os.link(draft, place)
        except FileExistsError:
            # FileNotFoundError: a deletion has just trashed the bytes. It restores them, because it
            # looks into the tables again.
            with suppress(FileNotFoundError):
                if place.stat().st_size != draft.stat().st_size:  # cut off by a full disk
                    _copy(draft, place)
                os.utime(place)
        except OSError:  # a file system without hard links
            _copy(draft, place)
        _sync(place.parent)

    def open(self, name: str) -> IO[bytes]:
        """Return the bytes. Raises FileNotFoundError."""
        # Bytes that are being trashed or restored are at one of these two places.
        for path in (self._place(name), self._trash / name):
            with suppress(FileNotFoundError):
                return path.open("rb")
        return self._place(name).open("rb")

    def trash(self, name: str) -> None:
        """Move the bytes into the trash, atomically."""
        make_folder(self._trash)
        with suppress(FileNotFoundError):
            self._place(name).rename(self._trash / name)

    def restore(self, name: str) -> None:
        """Move bytes back from the trash."""
        with suppress(FileNotFoundError):
            (self._trash / name).rename(self._place(name))

    def purge(self, name: str) -> None:
        """Delete bytes from the trash."""
        (self._trash / name).unlink(missing_ok=True)

    def trashed(self) -> Iterator[str]:
        """Yield the names in the trash."""
        yield from (entry.name for entry in entries(self._trash))

    def names(self, start: str, older_than: float) -> Iterator[str]:
        """Yield the names with these first two digits, stored more than `older_than` seconds
        ago."""
        for shard in entries(self.root / start):
            for entry in entries(Path(shard.path)):
                if age(entry) > older_than:
                    yield entry.name

    def delete_drafts(self, older_than: float) -> None:
        """Delete drafts older than `older_than` seconds, which killed processes left behind."""
        self._drafts.delete_old(older_than)

    def _place(self, name: str) -> Path:
        return self.root / name[:2] / name[2:4] / name


def _copy(draft: Path, place: Path) -> None:
    part = draft.with_suffix(".copy")
    try:
        shutil.copyfile(draft, part)
        _sync(part)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if is_module_patched("threading"):  # under gevent a slow disk must not block other requests
            get_hub().threadpool.apply(os.fsync, (descriptor,))
        else:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
