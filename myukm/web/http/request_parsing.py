"""Strict parsing of URLs and queries."""

from flask import request
from flask_babel import lazy_gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import IntegerConverter

from myukm.errors import DomainError, Invalid

SMALL_BODY_BYTES = 64 * 1024


def limit_body() -> None:
    """Refuse a body over `SMALL_BODY_BYTES` before it is read."""
    request.max_content_length = SMALL_BODY_BYTES


def form_file(name: str, max_bytes: int, too_large: DomainError) -> FileStorage | None:
    """Return the form's file `name`, None if there is none.

    Raises `too_large` before the body is read if it cannot hold a file of at most `max_bytes`.
    Then the form's fields are unreadable, too. A file a little over `max_bytes` is returned.
    """
    request.max_content_length = max_bytes + SMALL_BODY_BYTES
    try:
        return request.files.get(name)
    except RequestEntityTooLarge:
        raise too_large from None


class RowId(IntegerConverter):
    """URL converter for a row's id; a number beyond the range of ids does not match."""

    regex = r"[0-9]{1,18}"


def whole_number(name: str) -> int | None:
    """Return the query parameter `name` as an integer of 0 or more; None if absent.

    Raises `Invalid` for anything else.
    """
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid(_("%(name)s harus bilangan bulat.", name=name), code="bad_number")
    return int(text)


def form_number(name: str) -> int | None:
    """Return what `whole_number` returns, but None for an empty field. Raises `Invalid`."""
    return whole_number(name) if request.args.get(name) else None
