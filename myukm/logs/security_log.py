"""The security log: refused requests and changes of rights, one line each.

A line consists of `key=value` pairs. Values are percent-encoded, so that no input can end a line or
imitate another pair. It contains no password, code, token or message text.
"""

import logging
from typing import Any
from urllib.parse import quote

from flask import g, has_request_context, request

from myukm.db.session import on_commit
from myukm.logs.lines import SECURITY

MAX_VALUE = 200
PLAIN = "/:@+"  # besides letters, digits and -._~

logger = logging.getLogger(SECURITY)


def record(name: str, **fields: Any) -> None:
    """Write a line about the event `name`; fields that are None are left out."""
    logger.info("%s", _line(name, fields))


def record_on_commit(name: str, **fields: Any) -> None:
    """Write the line when the running `transaction()` has committed; a rollback drops it.

    A process that is killed just before writes none: who did what is in the audit trail as well.
    """
    on_commit(logger.info, "%s", _line(name, fields))


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


def _line(name: str, fields: dict[str, Any]) -> str:
    found: dict[str, Any] = {"event": name}
    if has_request_context():
        found |= {"address": request.remote_addr, "account": actor_id()}
    found |= fields
    if has_request_context():
        found |= {"method": request.method, "path": request.path}
    return " ".join(f"{key}={_plain(value)}" for key, value in found.items() if value is not None)


def _plain(value: Any) -> str:
    return quote(str(value)[:MAX_VALUE].encode(errors="replace"), safe=PLAIN)
