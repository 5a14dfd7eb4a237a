"""The run's log, as events: lines with a code and a sentence in each language."""

import json
from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from myukm.db.types import to_iso8601, utcnow
from myukm.domain.payment_api.work_item import Item
from myukm.extensions import db
from myukm.live import event_log
from myukm.live.event_log import Event
from myukm.sentences import in_each_language, lazy_decimal

MAX_FAILURES = 300


def append(run_id: int, level: str, code: str, message: Any, idperson: str | None = None) -> None:
    """Append one line with a lazy sentence inside `transaction()`; `level` is info, success,
    warning or error."""
    line = {
        "run_id": run_id,
        "at": to_iso8601(utcnow()),
        "level": level,
        "idperson": idperson,
        "code": code,
        **in_each_language(message=message),
    }
    event_log.append("sync", "sync.log", line)


def append_failures(run_id: int, failures: Sequence[Item], failed_before: int) -> None:
    """Append a line per failed student, up to `MAX_FAILURES` per run."""
    for failure in failures[: max(0, MAX_FAILURES - failed_before)]:
        append(run_id, "error", str(failure.code), failure.message, failure.idperson)


def append_remaining(run_id: int, failed: int) -> None:
    """Append the number of failures beyond `MAX_FAILURES`, if any."""
    if failed > MAX_FAILURES:
        text = _("Masih ada %(n)s kegagalan lain.", n=lazy_decimal(failed - MAX_FAILURES))
        append(run_id, "warning", "more_failures", text)


def latest(run_id: int | None, limit: int = 500) -> list[dict[str, Any]]:
    """Return the newest lines of a run, oldest first; the log keeps them for a day."""
    query = (
        select(Event.data)
        .where(Event.topic == "sync", Event.type == "sync.log")
        .order_by(Event.seq.desc())
        .limit(limit)
    )
    lines = [json.loads(data) for data in db.session.scalars(query)]
    return [line for line in reversed(lines) if line["run_id"] == run_id]
