"""What is stored of an upload: a re-encoded picture and its thumbnail, or a document unchanged."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from myukm.domain.files import kinds, pictures
from myukm.domain.files.names import FileName, clean_name
from myukm.storage import storage


@dataclass(frozen=True)
class Contents:
    """A checked file. `drafts` maps digests to the files on disk that hold the bytes."""

    name: str
    type: str
    drafts: dict[str, Path]
    digest: str
    thumbnail: str | None = None
    width: int | None = None
    height: int | None = None

    @property
    def size(self) -> int:
        """The size in bytes of what is served."""
        return self.drafts[self.digest].stat().st_size

    def store(self) -> None:
        """Put the bytes into the storage. Raises OSError."""
        for digest, draft in self.drafts.items():
            storage().store(draft, digest)


@contextmanager
def checked(draft: Path, sent_name: str, declared: str) -> Iterator[Contents]:
    """Yield the contents to store of a received file. Drafts made here are deleted after the block.

    `sent_name` and `declared` (the content type) come from the sender. Raises `Invalid` for a file
    that may not be sent or is not what it claims to be, `Unavailable` if too many pictures wait.
    """
    name = clean_name(sent_name)
    if not kinds.is_picture(name.extension, declared):
        digest, type_ = digest_of(draft), kinds.document_type(draft, name.extension)
        yield Contents(str(name), type_, {digest: draft}, digest)
        return
    picture, thumbnail = storage().new_draft(), storage().new_draft()
    try:
        yield _encoded(draft, picture, thumbnail, name, declared)
    finally:
        picture.unlink(missing_ok=True)
        thumbnail.unlink(missing_ok=True)


def _encoded(
    draft: Path, picture: Path, thumbnail: Path, name: FileName, declared: str
) -> Contents:
    size = pictures.reencode(draft, picture, thumbnail, name.extension, declared)
    large, small = digest_of(picture), digest_of(thumbnail)
    drafts = {large: picture, small: thumbnail}
    return Contents(str(FileName(name.stem, "webp")), "image/webp", drafts, large, small, *size)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
