"""What an address and its query carry, read strictly."""

from flask import request
from flask_babel import lazy_gettext as _
from werkzeug.routing import IntegerConverter

from myukm.errors import Invalid

SMALL_BODY = 64 * 1024


def limit_body() -> None:
    """Refuse a body that no call of this blueprint could need, before it is read."""
    request.max_content_length = SMALL_BODY


class RowId(IntegerConverter):
    """The id of a row in an address; a longer number than any row's is no address of ours."""

    regex = r"\d{1,18}"


def whole_number(name: str) -> int | None:
    """Return a number of the query (0 or more), None when it is absent. Raises `Invalid`."""
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid(_("%(name)s harus bilangan bulat.", name=name), code="bad_number")
    return int(text)
