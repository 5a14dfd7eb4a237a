"""Lines of the run's log about standstills: since when, why, and when the run moves again."""

import time
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from sqlalchemy import Row

from myukm.db.session import transaction
from myukm.domain.payment_api.shared_state import Reason
from myukm.domain.sync import run_log

# Codes of log lines: the end of a standstill, and warnings that are not about a standstill.
MOVING, OTHER_WARNINGS = "moving", ("lane_lost", "tidak_cocok", "more_failures", "completed")
# Causes that are logged at once; others only when the run counts as stalled.
CERTAIN = ("api_down", "api_wait")
# The same cause is not logged again within this time, because an API that makes workers wait again
# and again would fill the log.
REPEAT_SECONDS = 30.0


class StandstillLog:
    """Writes the standstill lines of the live run. The leader calls `record` once a second."""

    def __init__(self) -> None:
        self._run: object = None
        self._code: str | None = None
        self._written: dict[str, float] = {}

    def record(self, run: Row[Any], reason: Reason | None, *, stalled: bool) -> None:
        """Append a line if a standstill began or ended, or its cause changed."""
        if self._run != (run.id, run.started_at):
            self._run, self._code = (run.id, run.started_at), _last(run.id)
            self._written = {}
        shown = reason if reason and (stalled or reason.code in CERTAIN) else None
        if (shown and shown.code) == self._code or (shown and self._is_repeated(shown.code)):
            return
        with transaction():
            if shown:
                run_log.append(run.id, "warning", shown.code, _sentence(shown.text))
            else:
                run_log.append(run.id, "info", MOVING, _("Sinkronisasi bergerak lagi."))
        self._code = shown and shown.code  # set after the commit, so a failed commit is retried
        if shown:
            self._written[shown.code] = time.monotonic()

    def _is_repeated(self, code: str) -> bool:
        return time.monotonic() - self._written.get(code, -REPEAT_SECONDS) < REPEAT_SECONDS


def _sentence(reason: Any) -> LazyString:
    """Return a reason as a sentence of its own."""
    return LazyString(lambda: f"{str(reason)[:1].upper()}{str(reason)[1:]}.")


def _last(run_id: int) -> str | None:
    """Return the code of the last standstill in the log, None if it has ended."""
    for line in reversed(run_log.latest(run_id, limit=50)):
        if line["code"] == MOVING:
            return None
        if line["level"] == "warning" and line["code"] not in OTHER_WARNINGS:
            return str(line["code"])
    return None
