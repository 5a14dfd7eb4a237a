"""What a call carries, read strictly: a JSON object, whole numbers in the query."""

from typing import Any

from flask import request
from flask.json.provider import DefaultJSONProvider
from flask_babel import lazy_gettext as _
from werkzeug.routing import IntegerConverter

from myukm.errors import Invalid

SMALL_BODY = 64 * 1024


def limit_body() -> None:
    """Refuse a body that no call of this blueprint could need, before it is read."""
    request.max_content_length = SMALL_BODY


class StrictJson(DefaultJSONProvider):
    """JSON as calls send it: what is nested beyond measure is no JSON either."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return the value of a JSON text. Raises ValueError."""
        try:
            return super().loads(s, **kwargs)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


class RowId(IntegerConverter):
    """The id of a row in an address; a longer number than any row's is no address of ours."""

    regex = r"\d{1,18}"


def json_object() -> dict[str, Any]:
    """Return the JSON object of the body, or the form's fields. Raises `Invalid` for other JSON."""
    if not request.is_json:
        return request.form.to_dict()
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise Invalid(_("Kirimlah sebuah objek JSON."), code="bad_json")
    return sent


def text_field(name: str) -> str:
    """Return a text of the JSON body or the form; "" when it is absent or no text.

    Half a surrogate pair, which JSON can carry, is left out: no database takes it, no hash either.
    """
    value = json_object().get(name)
    return value.encode(errors="ignore").decode() if isinstance(value, str) else ""


def whole_number(name: str) -> int | None:
    """Return a number of the query (0 or more), None when it is absent. Raises `Invalid`."""
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid(_("%(name)s harus bilangan bulat.", name=name), code="bad_number")
    return int(text)
