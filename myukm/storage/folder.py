"""A folder, which the web servers of several machines may share.

`ab/cd/abcd…` holds bytes, `trash/` bytes that are about to be deleted, `drafts/` uploads that are
being received. Bytes appear under their name complete, by a hard link of a file that is on disk.
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
    """The storage in a folder; it and its parents are made when they are first needed."""

    def __init__(self, root: Path) -> None:
        self.root, self._drafts, self._trash = root, Drafts(root / "drafts"), root / "trash"

    def new_draft(self) -> Path:
        """Return the path of a new, empty private file."""
        return self._drafts.new()

    def store(self, draft: Path, name: str) -> None:
        """Store a draft's bytes under their name, safely on disk. The draft stays."""
        place = self._place(name)
        make_folder(place.parent)
        _sync(draft)
        try:
            os.link(draft, place)
        except FileExistsError:
            # Gone: a deletion has set it aside. It puts it back, because it checks the rows again.
            with suppress(FileNotFoundError):
                if place.stat().st_size != draft.stat().st_size:  # left by a disk that was full
                    _copy(draft, place)
                os.utime(place)
        except OSError:  # a file system without hard links
            _copy(draft, place)
        _sync(place.parent)

    def open(self, name: str) -> IO[bytes]:
        """Return the bytes. Raises FileNotFoundError."""
        # Bytes that are being set aside or put back are at one of the two places.
        for path in (self._place(name), self._trash / name):
            with suppress(FileNotFoundError):
                return path.open("rb")
        return self._place(name).open("rb")

    def set_aside(self, name: str) -> None:
        """Take the bytes away in one step; they can still be read."""
        make_folder(self._trash)
        with suppress(FileNotFoundError):
            self._place(name).rename(self._trash / name)

    def put_back(self, name: str) -> None:
        """Undo `set_aside`."""
        with suppress(FileNotFoundError):
            (self._trash / name).rename(self._place(name))

    def drop(self, name: str) -> None:
        """Delete what was set aside."""
        (self._trash / name).unlink(missing_ok=True)

    def all_set_aside(self) -> Iterator[str]:
        """Yield the names of what was set aside."""
        yield from (entry.name for entry in entries(self._trash))

    def names(self, start: str, older_than: float) -> Iterator[str]:
        """Yield the stored names with these first digits, older than so many seconds."""
        for shard in entries(self.root / start):
            for entry in entries(Path(shard.path)):
                if age(entry) > older_than:
                    yield entry.name

    def drop_drafts(self, older_than: float) -> None:
        """Delete the drafts of killed processes."""
        self._drafts.drop_old(older_than)

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
        if is_module_patched("threading"):  # the disk may take long, and others are served
            get_hub().threadpool.apply(os.fsync, (descriptor,))
        else:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
