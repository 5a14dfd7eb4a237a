"""Detects bodies that report a failure, whatever their HTTP status.

Many APIs answer 200 for everything and report failures in the body, each with its own field names
and words. The patterns list those in use, and match field names reduced to their letters in lower
case (`spelling.field_key`).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from myukm.db import json as decimal_json
from myukm.domain.payment_api.spelling import field_key, words
from myukm.domain.text_normalization import clean_line

# `isSuccess`, `success_flag`, `request_ok`.
SUCCESS = re.compile(
    "(is|was|has|request|response|api)*"
    "(succeed(ed)?|success(ful(ly)?)?|ok|sukses|berhasil|valid)(status|flag|code)?"
)
# `errorInfo`, `pesan_error`, `hasErrors`, `failure_reason`, but not `default`.
ERROR = re.compile(
    "err(code|msg|no|s)?|.*(error|exception|kesalahan|galat|problem|gagal|stacktrace|traceback"
    "|(?<!de)fault|fail(ed|ure|reason|code|message)).*"
    "|(is|has|was)?(fail|aborted|denied|rejected|expired|timedout)"
)
# `status`, `httpStatusCode`, `kode_respon`, `return_code`, but not `message` or `text` alone.
STATUS = re.compile(
    "(?!(message|text|the)+$)((http|api|app|the|respons?e?|return|result|status|code|kode|state|stat"
    "|hasil|text|message|type|ack|outcome))+|rc"
)
# Names of objects that may contain the fields above. Objects named like a status may, too.
ENVELOPES = words("meta metadata header headers head http info diagnostic success sukses message")
MAX_DEPTH = 3
MESSAGE = words("message messages msg pesan keterangan detail details description title")

NO = words("false 0 no n f tidak gagal fail failed error") | {""}
OK = words("ok oke okay success successful succeeded sukses berhasil")
NEGATIONS = words("not no tidak tanpa without belum bukan never")
# Words between a negation and the denied word: "tidak ada kesalahan", "could not be read".
FILLERS = words("ada any be been was were is are found ditemukan memiliki punya dapat bisa to")
# Words that mean a failure by themselves. A status or message names the token, the log-in or "too
# many requests" only if it refuses.
FAILED = words(
    """
    error errors err fail fails failed failure failures gagal galat kesalahan salah wrong false
    exception fault nok ko ng denied unauthorized unauthorised unauthenticated forbidden ditolak
    rejected refused invalid expired kedaluwarsa kadaluarsa kadaluwarsa timeout etimedout timed
    unsuccessful unavailable aborted bad cannot unable lost terputus gone exceeded deadlock sqlstate
    undefined fatal crashed oops busy sibuk overloaded down offline maintenance pemeliharaan token
    login sesi session requests missing partial sebagian incomplete pending processing diproses
    queued
    """
)
# Words that mean a failure after a negation: "not ok", "token tidak valid", "belum login".
DENIED = OK | words(
    """
    authenticated authorized authorised allowed permitted valid available tersedia connected connect
    terhubung tersambung akses access login dikenal mengambil memuat membaca member dimuat diambil
    """
)
ABSENT = words("found ditemukan exist exists")  # "not found" as a status, like 404
NO_ERROR = words("null none nil nihil kosong empty false n f no") | OK
ERRORS = words("error errors kesalahan galat masalah problem problems exception failure failures")
MAX_VALUE, MAX_MESSAGE = 60, 120


def of_body(body: Mapping[str, Any]) -> str | None:
    """Return, as text, the field with which an answer reports a failure, None if it reports none.

    If the answer has no data, its message alone can report a failure.
    """
    texts = (_error_text(part, _is_report) for part in _parts(body, MAX_DEPTH))
    found = next((text for text in texts if text), None)
    return found if found or body.get("data") else _error_text(body, _is_message)


def of_account(account: Mapping[str, Any]) -> str | None:
    """Return, as text, the field with which one account reports a failure, None if it reports none.

    A status of the account is ignored, because it may be the student's status.
    """
    return _error_text(account, _is_refusal)


def _parts(body: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    yield body
    for key, part in body.items():
        if depth and isinstance(part, dict):
            name = field_key(key)
            if name in ENVELOPES or STATUS.fullmatch(name):
                yield from _parts(part, depth - 1)


def _error_text(part: Mapping[str, Any], reports: Callable[[str, Any], bool]) -> str | None:
    """Return the first field that reports a failure, None if none does."""
    for key, value in part.items():
        if reports(field_key(key), value):
            return _as_text(part, key, value)
    return None


def _is_report(name: str, value: Any) -> bool:
    return _is_refusal(name, value) or (
        STATUS.fullmatch(name) is not None
        and any(_is_bad_status(name, word) for word in _scalars(value))
    )


def _is_refusal(name: str, value: Any) -> bool:
    if ERROR.fullmatch(name):
        return _names_error(value)
    return SUCCESS.fullmatch(name) is not None and any(map(_is_no, _scalars(value)))


def _is_message(name: str, value: Any) -> bool:
    return name in MESSAGE and any(means_failed(word, DENIED) for word in _scalars(value))


def _is_no(word: str) -> bool:
    number = _number(word)
    return word in NO or means_failed(word, DENIED) or (number is not None and number <= 0)


def _is_bad_status(name: str, word: str) -> bool:
    """Return whether a status is a failure: `-1`, `500`, "HTTP 500", "4012401", "SYSTEM_ERROR"."""
    number = _number(word)
    if number is not None and (number < 0 or (name == "status" and number == 0)):
        return True
    if re.search(r"(?<![0-9])[45][0-9]{2}([0-9]{4})?(?![0-9])", word.removesuffix(".0")):
        return True
    return means_failed(word, DENIED | ABSENT)


def means_failed(text: str, denied: frozenset[str]) -> bool:
    """Return whether a text means a failure ("SYSTEM_ERROR", "not ok"; not "no error").

    `denied` are the words that mean a failure after a negation.
    """
    found, negated = re.findall("[a-z]+", text), False
    for word in found:
        if word in (denied if negated else FAILED):
            return True
        negated = word in NEGATIONS or (negated and word in FILLERS)
    return "".join(found) in FAILED


def _names_error(value: Any) -> bool:
    """Return whether an error field names an error; `{"code": 0, "message": "ok"}` does not."""
    if isinstance(value, dict):
        return any(map(_names_error, value.values()))
    if isinstance(value, list):
        return any(map(_names_error, value))
    word = _word(value)
    found = re.findall("[a-z]+", word)
    if found and found[0] in NEGATIONS:
        return not (NEGATIONS | FILLERS | ERRORS).issuperset(found)
    if found and found[0] in NO_ERROR and (NO_ERROR | FILLERS).issuperset(found):
        return False  # "none found"
    if re.fullmatch("[0 .]+[a-z ]*", word) and (ERRORS | FILLERS).issuperset(found):
        return False  # "0", "0 errors"
    # A code of zeros only, such as "ESB-00-000", means success.
    return re.fullmatch("[a-z_.-]*0[0-]*|[^1-9a-z]*", word) is None


def _scalars(value: Any) -> Iterable[str]:
    """Return the texts of a field that is one value or a list of them; none for `null`."""
    values = value if isinstance(value, list) else [value]
    return [_word(one) for one in values if not isinstance(one, dict | list | None)]


def _number(word: str) -> int | None:
    return int(word[:9]) if re.fullmatch(r"-?[0-9]+", word, re.ASCII) else None


def _word(value: Any) -> str:
    return "" if isinstance(value, dict | list | None) else str(value).strip().casefold()


def _as_text(part: Mapping[str, Any], key: str, value: Any) -> str:
    shown = decimal_json.dumps(value)[:MAX_VALUE]
    messages = (text for name, text in part.items() if field_key(name) in MESSAGE)
    message = next((text for text in messages if isinstance(text, str)), "")[:MAX_MESSAGE]
    return clean_line(f"{key[:MAX_VALUE]}: {shown} {message}")
