"""Stores the bytes of uploaded files: in a folder, or in a bucket of an S3-compatible server.

Bytes are named by their SHA-256, so the same file is stored once. The tables say which are needed;
`set_aside`, `put_back` and `drop` remove the others. Needed bytes can be read at any moment.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol, cast

from flask import Flask, current_app

from myukm.storage.bucket import Bucket
from myukm.storage.folder import Folder


class Storage(Protocol):
    """The interface of both storages. A name is 64 hexadecimal digits, the bytes' SHA-256.

    Every method raises OSError when the storage does not answer or is full.
    """

    def new_draft(self) -> Path:
        """Return the path of a new, empty private file of this machine."""

    def store(self, draft: Path, name: str) -> None:
        """Store a draft's bytes under their name, safely on disk. The draft stays."""

    def open(self, name: str) -> IO[bytes]:
        """Return the bytes, seekable. Raises FileNotFoundError."""

    def set_aside(self, name: str) -> None:
        """Move the bytes out of the way; they can still be read. Does nothing if there are none.

        A folder does it in one step, a bucket copies and then deletes.
        """

    def put_back(self, name: str) -> None:
        """Undo `set_aside`."""

    def drop(self, name: str) -> None:
        """Delete bytes that were set aside."""

    def all_set_aside(self) -> Iterator[str]:
        """Yield the names that were set aside and neither put back nor dropped."""

    def names(self, start: str, older_than: float) -> Iterator[str]:
        """Yield the stored names with these two first digits, older than so many seconds."""

    def drop_drafts(self, older_than: float) -> None:
        """Delete the drafts of killed processes, older than so many seconds."""


def init_app(app: Flask) -> None:
    """Prepare the storage that `FILES_URL` names; nothing is opened yet."""
    url: str = app.config["FILES_URL"]
    if url.startswith("s3:"):
        app.extensions["storage"] = Bucket(url, Path(app.instance_path) / "drafts")
    else:
        app.extensions["storage"] = Folder(Path(url.removeprefix("file://")))


def storage() -> Storage:
    """Return the app's storage."""
    return cast(Storage, current_app.extensions["storage"])
