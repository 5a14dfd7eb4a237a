"""What a body says of itself: that the request failed, whatever HTTP status it came with.

Many APIs answer 200 for everything and tell in the body what became of the request, each with its
own names and words; these are the ones in use.
"""

import re
from collections.abc import Mapping
from typing import Any

from myukm import exact_json
from myukm.domain.api.words import plain, words
from myukm.domain.texts import clean_line

SUCCESS = words("success issuccess succeeded ok sukses berhasil")
ERROR = words(
    """
    error errors iserror haserror haserrors errorcode errorcodes errno errormessage errormessages
    errormsg failed failure gagal exception
    """
)
STATUS = words(
    """
    status statuscode code httpcode httpstatus responsecode responsestatus state result kode
    """
)
# Where such keys stand besides the top level.
ENVELOPES = words("meta metadata status result response header")
MESSAGE = words("message msg pesan keterangan detail description")

NO = words("false 0 no n f tidak gagal fail failed error")
NO_ERROR = words("null none false no n tidak - ok success") | {""}
FAILED = words(
    """
    error errors err fail failed failure gagal galat kesalahan false exception fault nok ko denied
    unauthorized unauthenticated forbidden ditolak rejected invalid expired kedaluwarsa timeout
    unsuccessful
    """
)
MAX_VALUE, MAX_MESSAGE = 60, 120


def of_body(body: Mapping[str, Any]) -> str | None:
    """Return how an answer says that it failed; None when it does not."""
    parts = [body, *(part for key, part in body.items() if plain(key) in ENVELOPES)]
    for part in parts:
        if isinstance(part, dict) and (said := _said(part, SUCCESS | ERROR | STATUS)):
            return said
    return None


def of_account(account: Mapping[str, Any]) -> str | None:
    """Return how one account says that it could not be read; its status may be anything."""
    return _said(account, SUCCESS | ERROR)


def _said(part: Mapping[str, Any], names: frozenset[str]) -> str | None:
    for key, value in part.items():
        name = plain(key)
        if name in names and _is_complaint(name, value):
            return _words(part, key, value)
    return None


def _is_complaint(name: str, value: Any) -> bool:
    if name in ERROR:
        return _speaks(value)
    word = _word(value)
    if name in SUCCESS:
        return word in NO
    if word.isascii() and word.isdigit():
        return 400 <= int(word[:9]) < 600 or (name == "status" and not word.strip("0"))
    return re.split(r"[^a-z]", word, maxsplit=1)[0] in FAILED


def _speaks(value: Any) -> bool:
    """Whether something stands in an error's place; `{"code": 0, "message": ""}` is nothing."""
    if isinstance(value, dict):
        return any(map(_speaks, value.values()))
    if isinstance(value, list):
        return any(map(_speaks, value))
    word = _word(value)
    return word not in NO_ERROR and bool(word.strip("0"))


def _word(value: Any) -> str:
    return "" if isinstance(value, dict | list | None) else str(value).strip().casefold()


def _words(part: Mapping[str, Any], key: str, value: Any) -> str:
    shown = exact_json.dumps(value)[:MAX_VALUE]
    told = (text for name, text in part.items() if plain(name) in MESSAGE)
    message = next((text for text in told if isinstance(text, str)), "")[:MAX_MESSAGE]
    return clean_line(f"{key[:MAX_VALUE]}: {shown} {message}")
