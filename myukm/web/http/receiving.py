"""Receives an uploaded file into a draft on disk, with limits of size, duration and number."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

import gevent
from flask import request
from flask_babel import lazy_gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from myukm.errors import DomainError, Invalid, TooFast, Unavailable
from myukm.storage import storage
from myukm.web.http.request_parsing import SMALL_BODY_BYTES

# Concurrent uploads in this process: of one person, and of all people.
MAX_OF_PERSON, MAX_OF_ALL = 4, 40
# A proxy receives the whole body first. Without a proxy a slow sender holds a slot for this time.
MAX_SECONDS = 600

_lock = threading.Lock()
_receiving: Counter[int] = Counter()


class Received(NamedTuple):
    """An uploaded file and the form's fields. The draft, a file on disk, is deleted when the `with`
    block ends."""

    draft: Path
    name: str
    type: str
    fields: dict[str, str]


@contextmanager
def upload_slot(user_id: int) -> Iterator[None]:
    """Hold one of a person's slots. Raises `TooFast` or `Unavailable` if all are taken."""
    with _lock:
        if _receiving[user_id] >= MAX_OF_PERSON:
            text = _("Terlalu banyak berkas sekaligus. Tunggu beberapa detik.")
            raise TooFast(text, retry_after=3)
        if _receiving.total() >= MAX_OF_ALL:
            text = _("Server sedang sibuk. Coba lagi beberapa detik lagi.")
            raise Unavailable(text, code="busy", retry_after=5)
        _receiving[user_id] += 1
    try:
        yield
    finally:
        with _lock:
            _receiving[user_id] -= 1
            if not _receiving[user_id]:
                del _receiving[user_id]


def announced_size() -> int:
    """Return a lower bound of the size of the file in this request in bytes; 0 if unknown."""
    return max(0, (request.content_length or 0) - SMALL_BODY_BYTES)


@contextmanager
def received(max_bytes: int, too_large: DomainError) -> Iterator[Received]:
    """Receive the form's file `file` and yield it.

    A file over `max_bytes` is refused at once if its announced length says so, else as soon as that
    much has arrived. Raises `too_large`, `Invalid` without exactly one file, a `DomainError` (408)
    after `MAX_SECONDS`, and `Unavailable` if the disk is full.
    """
    request.max_content_length = max_bytes + SMALL_BODY_BYTES
    drafts: list[tuple[Path, IO[bytes]]] = []
    try:
        form, sent = _one_file(drafts, too_large)
        path = drafts[0][0]
        if path.stat().st_size > max_bytes:
            raise too_large
        yield Received(path, sent.filename or "", sent.mimetype, form)
    finally:
        for path, file in drafts:
            with suppress(OSError):  # closing flushes again, which may fail again
                file.close()
            path.unlink(missing_ok=True)


def storage_unavailable() -> Unavailable:
    """Return the error for a file storage that is unreachable or full."""
    text = _("Penyimpanan berkas tidak menjawab. Coba lagi sebentar lagi.")
    return Unavailable(text, code="storage_unavailable", retry_after=10)


def not_one_file() -> DomainError:
    """Return the error for a form without exactly one file."""
    return Invalid(_("Kirim tepat satu berkas."), code="no_file")


def _one_file(
    drafts: list[tuple[Path, IO[bytes]]], too_large: DomainError
) -> tuple[dict[str, str], FileStorage]:
    """Write the form's only file to its draft; return the form's fields and the file."""
    try:
        form, sent = _parsed(drafts, too_large)
        if sent is None or len(drafts) != 1:
            raise not_one_file()
        sent.stream.close()
    except OSError as error:
        raise storage_unavailable() from error
    return form, sent


def _parsed(
    drafts: list[tuple[Path, IO[bytes]]], too_large: DomainError
) -> tuple[dict[str, str], FileStorage | None]:
    def new_draft(*_: object, **__: object) -> IO[bytes]:
        if drafts:
            raise not_one_file()
        path = storage().new_draft()
        drafts.append((path, path.open("wb+")))
        return drafts[0][1]

    parser = FormDataParser(new_draft, max_form_memory_size=8 * SMALL_BODY_BYTES, max_form_parts=10)
    slow = DomainError(_("Unggahan ini terlalu lama."), code="too_slow", status=408)
    try:
        with gevent.Timeout(MAX_SECONDS, slow):
            _rest, form, files = parser.parse(
                request.stream, request.mimetype, request.content_length, request.mimetype_params
            )
    except RequestEntityTooLarge:
        raise too_large from None
    return form.to_dict(), files.get("file")
