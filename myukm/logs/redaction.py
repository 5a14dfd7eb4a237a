"""Redacts secrets and addresses of servers: no token, password or query is shown or logged.

`shown` redacts an address; `hide` redacts a text that may contain one, such as a library's error or
a traceback, in which a database's user name may stay. `register_secrets` registers the secrets;
`records.py` redacts every log line.
"""

import re
import sys
import threading
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

SETTINGS = (
    "DATABASE_URL",
    "REDIS_URL",
    "PUBLIC_URL",
    "PEMBAYARAN_API_URL",
    "ALERT_WEBHOOK_URL",
    "HEARTBEAT_URL",
    "SMTP_URL",
    "FILES_URL",
)
PATH_IS_SECRET = frozenset({"ALERT_WEBHOOK_URL", "HEARTBEAT_URL"})
SECRETS = ("SECRET_KEY", "PEMBAYARAN_API_TOKEN", "METRICS_TOKEN")
DOTS = "…"
# Shorter secrets are not registered, because they would match unrelated text. Between `://` and `@`
# `hide` removes them anyway.
MIN_SECRET_CHARACTERS = 5
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
HOST = r"(?:[\w.-]+|\[[0-9a-fA-F:.%]+\])(?::\d+)?"
PLACE = re.compile(rf"(?:{HOST}(?:,{HOST})*)?(?:/[^@]*)?")
SECRET_KEY = re.compile(r"pass|pwd|token|key|secret|auth|sig", re.IGNORECASE)
# Whoever reads the token of a join link can join.
JOIN_LINK = re.compile(r"(/gabung/)[^\s/?#'\"<>]+")
# The lengths are limited, because a search without limits takes quadratic time.
IN_TEXT = re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://)[^\s'\"<>]{1,1000}@")

_secrets: set[str] = set()


def shown(address: str, *, path: bool = True) -> str:
    """Return an address without its secrets, such as `redis://host:6379/0?…`.

    If it is ambiguous where a secret ends, only the scheme is shown. `path=False` is for addresses
    whose path is secret, such as a webhook's.
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
    """Return a text without the registered secrets, tokens of join links, and anything before an
    `@` in a URL. Join links end in ASCII dots, because the security log is ASCII."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, DOTS)
    return JOIN_LINK.sub(r"\1...", IN_TEXT.sub(rf"\1{DOTS}@", text))


def register_secrets(settings: Mapping[str, Any]) -> None:
    """Register the secrets in these settings for `hide`, and redact the tracebacks of uncaught
    errors from now on."""
    found = {str(settings.get(name) or "") for name in SECRETS}
    for name in SETTINGS:
        address = str(settings.get(name) or "")
        found |= secrets_of(address)
        if name in PATH_IS_SECRET:
            parts = urlsplit(address)
            found |= {parts.path, parts.query}
    # Any part of an Apprise address may be a secret, so the whole address is registered.
    urls = str(settings.get("ALERT_URLS") or "").split()
    found |= {address.partition("://")[2] for address in urls}
    _secrets.update(secret for secret in found if len(secret) >= MIN_SECRET_CHARACTERS)
    sys.excepthook = _write_redacted_traceback
    if threading.excepthook is threading.__excepthook__:  # not that of a debugger or test runner
        threading.excepthook = _write_redacted_traceback_of_thread


def secrets_of(address: str) -> set[str]:
    """Return the secrets in an address, URL-encoded and decoded, and the parts of each, because a
    library that misparses a password such as `p@ss` logs only a part."""
    scheme, _, rest = address.partition("://")
    user = rest.rpartition("@")[0]
    name, _, password = user.partition(":")
    # Before the host of an HTTP address, a name without a password is a token.
    found = {user, password} if password else {user if scheme.startswith("http") else ""}
    pairs = (pair.partition("=") for pair in re.split(r"[?&]", rest))
    found |= {value for key, _, value in pairs if SECRET_KEY.search(key)}
    found |= {piece for secret in found for piece in re.split(r"[@:/?#]", secret)}
    both = {
        each for one in found for each in (one, unquote(one)) if len(each) >= MIN_SECRET_CHARACTERS
    }
    return both - {name} if password else both  # a user name alone is no secret


def _write_redacted_traceback(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    sys.stderr.write(hide("".join(traceback.format_exception(kind, error, trace))))


def _write_redacted_traceback_of_thread(error: threading.ExceptHookArgs) -> None:
    if error.exc_value and not issubclass(error.exc_type, SystemExit):
        _write_redacted_traceback(error.exc_type, error.exc_value, error.exc_traceback)
