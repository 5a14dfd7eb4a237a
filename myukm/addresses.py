"""Addresses of servers as people may see them: without user, password and query.

`shown` is for an address that we show, `hide` for texts of others (an error of a library, a
traceback) that may hold one. `watch_texts` says what to hide; `log_records.py` does so in every
log line of the process.
"""

import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

SETTINGS = (
    "DATABASE_URL",
    "REDIS_URL",
    "PUBLIC_URL",
    "PEMBAYARAN_API_URL",
    "ALERT_WEBHOOK_URL",
    "SMTP_URL",
)
PATH_IS_SECRET = frozenset({"ALERT_WEBHOOK_URL"})
DOTS = "…"
# Shorter ones stand in texts by chance; between `://` and `@` they are hidden all the same.
MIN_SECRET = 5
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
HOST = r"(?:[\w.-]+|\[[0-9a-fA-F:.%]+\])(?::\d+)?"
PLACE = re.compile(rf"(?:{HOST}(?:,{HOST})*)?(?:/[^@]*)?")
SECRET_KEY = re.compile(r"pass|pwd|token|key|secret|auth|sig", re.IGNORECASE)
IN_TEXT = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s'\"<>]+@")

_secrets: set[str] = set()


def shown(address: str, *, path: bool = True) -> str:
    """Return an address without what may be secret in it: `redis://host:6379/0?…`.

    Where it does not say clearly where its secrets end, less is shown. Not `path`: for addresses
    whose path is the secret, such as a web hook's.
    """
    scheme, _, rest = address.partition("://")
    if not rest or not SCHEME.fullmatch(scheme):
        return DOTS
    user, _, place = rest.rpartition("@")
    place, *query = re.split(r"[?#]", place, maxsplit=1)
    if re.search(r"[?#]", user) or not PLACE.fullmatch(place) or not place.isprintable():
        return f"{scheme}://{DOTS}"
    if not path:
        place = place.partition("/")[0]
    return f"{scheme}://{place}{'?' + DOTS if query else ''}"


def hide(text: str) -> str:
    """Return a text without the secrets of our addresses, and without any user before an `@`."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, DOTS)
    return IN_TEXT.sub(rf"\1{DOTS}@", text)


def watch_texts(settings: Mapping[str, Any]) -> None:
    """Keep the secrets of these settings' addresses out of logs and of an end by an error."""
    for name in SETTINGS:
        address = str(settings.get(name) or "")
        _secrets.update(secrets_of(address))
        if name in PATH_IS_SECRET and len(path := urlsplit(address).path) >= MIN_SECRET:
            _secrets.add(path)
    sys.excepthook = _clean_end


def secrets_of(address: str) -> Iterable[str]:
    """Return what is secret in an address, as it stands there, decoded, and in pieces.

    A library that misreads an address (`p@ss` as the end of a password) tells a piece of it.
    """
    scheme, _, rest = address.partition("://")
    user = rest.rpartition("@")[0]
    name, _, password = user.partition(":")
    found = {user, password} if password else {user if scheme.startswith("http") else ""}
    pairs = (pair.partition("=") for pair in re.split(r"[?&]", rest))
    found |= {value for key, _, value in pairs if SECRET_KEY.search(key)}
    found |= {piece for secret in found for piece in re.split(r"[@:/?#]", secret)}
    both = {each for one in found for each in (one, unquote(one)) if len(each) >= MIN_SECRET}
    return both - {name} if password else both


def _clean_end(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    sys.stderr.write(hide("".join(traceback.format_exception(kind, error, trace))))
