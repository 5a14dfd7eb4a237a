"""What a log line is about: the request, the person, the job, the run."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app, g, has_request_context, request

HEADER = "X-Request-ID"
_SENT = re.compile(r"[A-Za-z0-9-]{8,64}")
_KEY = "myukm.request_id"

# A process runs one job at a time, and its threads log, too.
_job: dict[str, Any] = {}


def request_id() -> str:
    """Return the id of this request: the one that our proxy sent, otherwise a random one."""
    found: str | None = request.environ.get(_KEY)
    if found is None:
        sent = request.headers.get(HEADER, "") if current_app.config["TRUSTED_PROXIES"] else ""
        found = sent if _SENT.fullmatch(sent) else secrets.token_hex(8)
        request.environ[_KEY] = found
    return found


@contextmanager
def of_job(**fields: Any) -> Iterator[None]:
    """Put these fields (`job`, `run`) into the lines that this process logs inside the block."""
    _job.update({name: value for name, value in fields.items() if value is not None})
    try:
        yield
    finally:
        _job.clear()


def current() -> dict[str, Any]:
    """Return `request_id` and `account`, or `job` and `run`, as far as there are any."""
    if not has_request_context():
        return dict(_job)
    account = g.get("account_id")
    return {"request_id": request_id()} | ({"account": account} if account else {})
