"""Why something does not move: every check of the program, the most telling first.

The command, the page, `/readyz`, the alerts and the metrics all read these findings.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask_babel import get_locale
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from myukm.extensions import db
from myukm.ops.findings import (
    BROKEN,
    WARNING,
    Finding,
    database,
    machine,
    program,
    queues,
    valkey,
    workers,
)
from myukm.recent import recent

Check = Callable[[], Iterator[Finding]]

ESSENTIAL: tuple[Check, ...] = (valkey.unreachable, database.unreachable)
CHECKS: tuple[Check, ...] = (
    *ESSENTIAL,
    database.outdated,
    valkey.refuses_writes,
    queues.suspended,
    queues.not_served,
    queues.not_taken,
    program.sync,
    program.chat,
    program.payment_api,
    program.attacks,
    valkey.memory,
    database.event_log,
    machine.disk,
    workers.died,
    workers.failed,
)
SEVERITY = (BROKEN, WARNING)

log = logging.getLogger(__name__)


def report() -> dict[str, Any]:
    """Return status ("ok", "warning" or "broken") and findings in the reader's language."""
    findings = _diagnose(str(get_locale()))
    return {
        "status": findings[0].level if findings else "ok",
        "findings": [finding.as_json() for finding in findings],
    }


def not_ready() -> Sequence[Finding]:
    """Return why this process can't serve: its database or Valkey does not answer."""
    return [f for f in _found(ESSENTIAL) if f.level == BROKEN]


@recent(2.0)
def _diagnose(_language: str) -> Sequence[Finding]:
    return sorted(_found(CHECKS), key=lambda finding: SEVERITY.index(finding.level))


def _found(checks: Sequence[Check]) -> list[Finding]:
    """Run the checks; one whose server is away finds nothing, `ESSENTIAL` says so already."""
    found: list[Finding] = []
    for check in checks:
        try:
            found += check()
        except RedisError as error:
            log.debug("%s: %s", check.__name__, error)
        except SQLAlchemyError as error:
            db.session.rollback()
            log.debug("%s: %s", check.__name__, error)
    return found
