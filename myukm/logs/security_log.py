"""The security log: refused requests and changes of rights, one line each.

A line consists of `key=value` pairs. Values are percent-encoded, so that no input can end a line or
imitate another pair. It contains no password, code, token or message text.
"""

import logging
from typing import Any
from urllib.parse import quote

from flask import g, has_request_context, request

from myukm.logs.lines import SECURITY

MAX_VALUE_CHARACTERS = 200
UNESCAPED = "/:@+"  # besides letters, digits and -._~

logger = logging.getLogger(SECURITY)


def record(name: str, **fields: Any) -> None:
    """Write a line about the event `name`; fields that are None are left out."""
    write(line(name, **fields))


def write(text: str) -> None:
    """Write what `line` returned."""
    logger.info("%s", text)


def actor_id() -> int | None:
    """Return the account that this request is made with; None outside of requests."""
    return g.get("account_id") if has_request_context() else None


def set_actor(user_id: int) -> None:
    """Set the account that this request is authenticated as."""
    g.account_id = user_id


def set_target(user_id: int) -> None:
    """Set the account whose NIM was tried, for the line about a refusal."""
    if has_request_context():
        g.target_id = user_id


def target_id() -> int | None:
    """Return the account that this request set as its target, None if it set none."""
    return g.get("target_id") if has_request_context() else None


def line(name: str, **fields: Any) -> str:
    """Return the line about the event `name` in this request, for `write`."""
    found: dict[str, Any] = {"event": name}
    if has_request_context():
        found |= {"address": request.remote_addr, "account": actor_id()}
    found |= fields
    if has_request_context():
        found |= {"method": request.method, "path": request.path}
    return " ".join(f"{key}={_encoded(value)}" for key, value in found.items() if value is not None)


def _encoded(value: Any) -> str:
    return quote(str(value)[:MAX_VALUE_CHARACTERS].encode(errors="replace"), safe=UNESCAPED)
