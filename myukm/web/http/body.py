"""Reads the body of a call into the struct that is declared beside its view.

A struct has fields of `str`, `int`, `bool`, and lists of texts or numbers. Missing fields and wrong
types are refused here, with a sentence that names the field. The domain checks the values.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any, TypeVar, cast, get_args

import msgspec
from flask import current_app, request
from flask_babel import lazy_gettext as _
from msgspec.structs import FieldInfo

from myukm.errors import Invalid

Struct = TypeVar("Struct", bound=msgspec.Struct)
View = TypeVar("View", bound=Callable[..., Any])

EXPECTED = {
    str: _("harus berupa teks"),
    int: _("harus bilangan bulat"),
    bool: _("harus true atau false"),
    list[str]: _("harus daftar teks"),
    list[int]: _("harus daftar bilangan bulat"),
}
# Digits of a number, and characters of a field's name in an error.
MAX_DIGITS, MAX_NAME = 40, 64
# PostgreSQL stores no NUL, and nothing stores half a surrogate pair.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class BadBody(Invalid):
    """The body is not JSON (400), or has missing, unknown or wrong fields (422)."""


class NoFields(msgspec.Struct):
    """The body of a call without fields."""


def takes(kind: type[msgspec.Struct]) -> Callable[[View], View]:
    """Read the body into `kind` and pass it to the view as `sent`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def reading(*args: Any, **kwargs: Any) -> Any:
            return view(*args, sent=read(kind), **kwargs)

        reading.takes = kind  # type: ignore[attr-defined]
        return cast(View, reading)

    return decorate


def read(kind: type[Struct]) -> Struct:
    """Return the body as a `kind`: a JSON object, or a form unless the view is JSON only.

    A form may have unknown fields (its button, `next`), and a missing text is empty. Raises
    `BadBody`.
    """
    strict = request.is_json or only_json()
    sent = json_object() if strict else request.form
    fields = _fields(kind)
    if strict and (unknown := sorted(sent.keys() - fields.keys())):
        raise BadBody(
            _("Isian %(name)s tidak dikenal.", name=unknown[0][:MAX_NAME]), code="unknown_field"
        )
    values = {
        field.name: value_of(field, sent, strict=strict)
        for name, field in fields.items()
        if name in sent or field.required
    }
    return kind(**values)


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def only_json() -> bool:
    """Return whether the view takes only JSON.

    A form is refused there: ignoring its fields could turn a dry run into a real one.
    """
    view = current_app.view_functions[request.endpoint or ""]
    return getattr(view, "answers_json", False)


def value_of(field: FieldInfo, sent: Mapping[str, Any], *, strict: bool) -> Any:
    """Return the value of a field. Raises `BadBody` if it is missing or of a wrong type."""
    name = field.encode_name
    if strict and name not in sent:
        raise bad_field(name, _("harus diisi"))
    try:
        value = msgspec.convert(sent.get(name, ""), field.type, strict=strict)
    except msgspec.ValidationError:
        raise bad_field(name, expected(field.type)) from None
    texts = value if isinstance(value, list) else [value]
    if any(UNSTORABLE.search(text) for text in texts if isinstance(text, str)):
        raise bad_field(name, _("berisi karakter yang tidak bisa disimpan"))
    return value


def expected(kind: Any) -> Any:
    """Return the rule for a field of this type, which may be optional (`int | None`)."""
    return EXPECTED.get(kind) or next(EXPECTED[one] for one in get_args(kind) if one in EXPECTED)


def bad_field(name: str, problem: Any) -> BadBody:
    """Return the error for a wrong field."""
    return BadBody(_("%(name)s %(problem)s.", name=name, problem=problem), code=f"bad_{name}")


def json_object() -> dict[str, Any]:
    """Return the JSON object in the body, {} if the body is empty. Raises `BadBody`."""
    data = request.get_data()
    if data and not request.is_json:
        raise bad_json()
    try:
        sent = json.loads(
            data.decode("utf-8-sig") or "{}",
            object_pairs_hook=unique_fields,
            parse_int=integer_or_infinity,
            parse_constant=refuse_constant,
        )
    except (ValueError, RecursionError):
        raise bad_json() from None
    if not isinstance(sent, dict):
        raise BadBody(_("Kirimlah sebuah objek JSON."), code="bad_json")
    return sent


def bad_json() -> BadBody:
    """Return the error for a body that is not JSON."""
    return BadBody(_("Kiriman ini bukan JSON yang bisa dibaca."), code="bad_json", status=400)


def unique_fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises `BadBody` for a repeated field, because it is ambiguous."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise BadBody(
                _("Isian %(name)s ada dua kali.", name=name[:MAX_NAME]), code="duplicate_field"
            )
        found[name] = value
    return found


def integer_or_infinity(digits: str) -> float:
    """Return a JSON integer. One of over `MAX_DIGITS` digits, which would be slow to parse, becomes
    infinity, which no integer field accepts."""
    return int(digits) if len(digits) <= MAX_DIGITS else math.inf


def refuse_constant(name: str) -> None:
    """Raise `ValueError` for NaN and Infinity, which Python accepts although JSON does not."""
    raise ValueError(name)
