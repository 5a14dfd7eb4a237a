"""Stores the bytes of uploaded files: in a folder, or in a bucket of an S3-compatible server.

Bytes are named by their SHA-256, so the same file is stored once. Bytes whose name no table has are
first trashed. Then the tables are read again, because an upload may need the same bytes meanwhile,
and the bytes are purged or restored. They can be read until they are purged.
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
        """Return the path of a new, empty private file on this machine."""

    def store(self, draft: Path, name: str) -> None:
        """Store a draft's bytes under `name`, durably. The draft stays."""

    def open(self, name: str) -> IO[bytes]:
        """Return the bytes, seekable. Raises FileNotFoundError."""

    def trash(self, name: str) -> None:
        """Move the bytes into the trash, where they can still be read. Does nothing if no
        bytes have this name.

        A folder moves them atomically, a bucket copies and then deletes them.
        """

    def restore(self, name: str) -> None:
        """Move bytes back from the trash."""

    def purge(self, name: str) -> None:
        """Delete bytes from the trash."""

    def trashed(self) -> Iterator[str]:
        """Yield the names in the trash."""

    def names(self, start: str, older_than: float) -> Iterator[str]:
        """Yield the names with these first two digits that were stored more than `older_than`
        seconds ago; without the trash."""

    def delete_drafts(self, older_than: float) -> None:
        """Delete drafts older than `older_than` seconds, which killed processes left behind."""


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
