"""Detects bodies that report a failure, whatever their HTTP status.

Many APIs answer 200 for everything and report failures in the body, each with its own field names
and words. These are the ones in use.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from myukm.db import json as decimal_json
from myukm.domain.payment_api.spelling import field_key, words
from myukm.domain.text_normalization import clean_line

SUCCESS = words("success issuccess succeeded ok sukses berhasil")
# Field names of a failure, and parts of such names (`errorInfo`, `pesan_error`, `hasErrors`).
ERROR = words("err errcode errmsg errno fail failed isfailed failure gagal fault faults")
ERROR_PARTS = ("error", "exception", "kesalahan", "galat")
STATUS = words(
    """
    status statuscode statustext statusmessage code httpcode httpstatus responsecode responsestatus
    apistatus state stat result hasil kode type
    """
)
# Objects that may contain such fields, besides the top level.
ENVELOPES = words("meta metadata status result response header")
MAX_DEPTH = 3
MESSAGE = words("message msg pesan keterangan detail description")

NO = words("false 0 no n f tidak gagal fail failed error") | {""}
NO_ERROR = words("null none false no n tidak - ok success") | {""}
FAILED = words(
    """
    error errors err fail failed failure gagal galat kesalahan false exception fault nok ko denied
    unauthorized unauthenticated forbidden ditolak rejected refused invalid expired kedaluwarsa
    timeout timed unsuccessful unavailable aborted bad
    """
)
NEGATIONS, SUCCEEDED = (
    words("not no tidak tanpa without"),
    words("ok success successful succeeded sukses berhasil"),
)
MAX_VALUE, MAX_MESSAGE = 60, 120


def of_body(body: Mapping[str, Any]) -> str | None:
    """Return the field with which an answer reports a failure, None if it does not.

    Without data, a message alone counts as a report.
    """
    said = (_said(part, SUCCESS | STATUS) for part in _parts(body, MAX_DEPTH))
    found = next((words for words in said if words), None)
    return found if found or body.get("data") else _said(body, MESSAGE)


def of_account(account: Mapping[str, Any]) -> str | None:
    """Return the field with which one account reports a failure; its status field is ignored."""
    return _said(account, SUCCESS)


def _parts(body: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    yield body
    for key, part in body.items():
        if depth and isinstance(part, dict) and field_key(key) in ENVELOPES:
            yield from _parts(part, depth - 1)


def _said(part: Mapping[str, Any], names: frozenset[str]) -> str | None:
    """Return the first field that reports a failure, by its name or as one of `names`."""
    for key, value in part.items():
        if _is_complaint(field_key(key), value, names):
            return _words(part, key, value)
    return None


def _is_complaint(name: str, value: Any, names: frozenset[str]) -> bool:
    if name in ERROR or any(part in name for part in ERROR_PARTS):
        return _speaks(value)
    if name not in names or isinstance(value, dict | list | None):
        return False
    word = _word(value)
    number = int(word[:9]) if re.fullmatch(r"-?[0-9]+", word, re.ASCII) else None
    if name in SUCCESS:
        return word in NO or (number is not None and number <= 0)
    if number is not None:
        return number < 0 or 400 <= number < 600 or (name == "status" and number == 0)
    return _means_failed(word)


def _means_failed(text: str) -> bool:
    """Return whether a status or message means a failure ("SYSTEM_ERROR", "not ok"; not
    "no error")."""
    found = re.findall("[a-z]+", text)
    negated = bool(found) and found[0] in NEGATIONS
    return not (SUCCEEDED if negated else FAILED).isdisjoint([*found, "".join(found)])


def _speaks(value: Any) -> bool:
    """Return whether an error field has content; `{"code": 0, "message": ""}` has none."""
    if isinstance(value, dict):
        return any(map(_speaks, value.values()))
    if isinstance(value, list):
        return any(map(_speaks, value))
    word = _word(value)
    return word not in NO_ERROR and bool(word.strip("0"))


def _word(value: Any) -> str:
    return "" if isinstance(value, dict | list | None) else str(value).strip().casefold()


def _words(part: Mapping[str, Any], key: str, value: Any) -> str:
    shown = decimal_json.dumps(value)[:MAX_VALUE]
    messages = (text for name, text in part.items() if field_key(name) in MESSAGE)
    message = next((text for text in messages if isinstance(text, str)), "")[:MAX_MESSAGE]
    return clean_line(f"{key[:MAX_VALUE]}: {shown} {message}")
