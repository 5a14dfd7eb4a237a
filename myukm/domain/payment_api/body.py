"""Decodes the body of an answer: JSON that can be stored, and that does not report a failure."""

import codecs
import json
import re
from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _

from myukm.db import json as decimal_json
from myukm.domain.payment_api import complaint

# Levels of nesting; MariaDB refuses JSON with 32.
MAX_DEPTH = 24

_UNSAFE = re.compile(rb"\\u(0000|d[89a-f])", re.IGNORECASE)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))


class InvalidBody(ValueError):
    """The answer does not conform to docs/payment-api.yaml; the text says where."""


def decode(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises `InvalidBody`, also for a reported failure."""
    value = _json(body)
    if not isinstance(value, dict):
        raise InvalidBody(_("bukan objek"))
    if len(value) > 1 and (report := complaint.of_body(value)):
        raise reported_failure(report)
    return value


def without_bom(body: bytes) -> bytes:
    """Return the body without leading blanks and byte order marks, which a reader may ignore
    (RFC 8259, 8.1). A PHP program sends a mark for each of its files that begins with a mark."""
    return body.lstrip(codecs.BOM_UTF8 + b" \t\r\n")


def reported_failure(report: str) -> InvalidBody:
    """Return the error for an answer that reports a failure."""
    return InvalidBody(_("API menyatakan gagal: %(said)s", said=report))


def objects(value: Any) -> list[dict[str, Any]]:
    """Return a value that is a list of objects. Raises `InvalidBody`."""
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise InvalidBody(_("tidak ada daftar objek"))
    return value


def _json(body: bytes) -> Any:
    try:
        value = decimal_json.loads(body)
        if _UNSAFE.search(body):
            _check_text(value)
    except InvalidBody:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidBody(_("bukan JSON")) from error
    if not _is_shallow(body):
        _check_depth(value)
    return value


def _check_text(value: Any) -> None:
    """Refuse lone surrogates and NUL, which cannot be stored or shown."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text.encode()
    if "\\u0000" in text:
        raise InvalidBody(_("berisi karakter NUL"))


def _is_shallow(body: bytes) -> bool:
    """Return whether counting brackets proves that the body is not too deep. Fast, but brackets in
    texts count as well, so False proves nothing."""
    brackets = body.translate(_BRACKETS, _OTHERS)
    for _depth in range(MAX_DEPTH):
        if not brackets:
            return True
        brackets = brackets.replace(b"[]", b"")
    return not brackets


def _check_depth(value: Any) -> None:
    level = [value]
    for _depth in range(MAX_DEPTH):
        level = [child for part in level for child in _containers(part)]
        if not level:
            return
    raise InvalidBody(_("bersarang terlalu dalam"))


def _containers(part: Any) -> Iterable[Any]:
    parts = part.values() if isinstance(part, dict) else part
    return (child for child in parts if isinstance(child, dict | list))
