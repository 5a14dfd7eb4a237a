"""The run's log: what happened, in the campus's language, each line with its code."""

import json
from collections.abc import Iterable
from typing import Any

from flask_babel import format_decimal
from flask_babel import gettext as _
from sqlalchemy import select

from myukm.database import iso, utcnow
from myukm.domain.api.student import Outcome
from myukm.extensions import db
from myukm.i18n import campus_language
from myukm.live import log
from myukm.live.log import Event

MOST_FAILURES = 300


def tell(run_id: int, level: str, code: str, message: str, idperson: str | None = None) -> None:
    """Append one line inside `write()`; `level` is info, success, warning or error."""
    line = {
        "run_id": run_id,
        "at": iso(utcnow()),
        "level": level,
        "idperson": idperson,
        "code": code,
        "message": message,
    }
    log.append("sync", "sync.log", line)


def tell_failures(run_id: int, outcomes: Iterable[Outcome], failed_before: int) -> None:
    """Append a line per failed student, as long as the run has fewer than `MOST_FAILURES`."""
    failures = [outcome for outcome in outcomes if outcome.code]
    for failure in failures[: max(0, MOST_FAILURES - failed_before)]:
        tell(run_id, "error", str(failure.code), str(failure.message), failure.idperson)


def tell_rest(run_id: int, failed: int) -> None:
    """Append how many failures were not told, when the run has more than `MOST_FAILURES`."""
    if failed > MOST_FAILURES:
        with campus_language():
            text = _("Masih ada %(n)s kegagalan lain.", n=format_decimal(failed - MOST_FAILURES))
        tell(run_id, "warning", "more_failures", text)


def recent(run_id: int | None, limit: int = 500) -> list[dict[str, Any]]:
    """Return the newest lines of a run, oldest first; the log keeps them for a day."""
    query = (
        select(Event.data)
        .where(Event.topic == "sync", Event.type == "sync.log")
        .order_by(Event.seq.desc())
        .limit(limit)
    )
    lines = [json.loads(data) for data in db.session.scalars(query)]
    return [line for line in reversed(lines) if line["run_id"] == run_id]
