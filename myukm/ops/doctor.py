"""The doctor runs every check and returns the findings, most severe and most likely cause first.

`flask queue doctor`, the queues page, alerts and metrics all read these findings.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask_babel import get_locale
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from myukm.cache import ttl_cache
from myukm.extensions import db
from myukm.ops.findings import (
    BROKEN,
    WARNING,
    Finding,
    application,
    database,
    host,
    queues,
    sessions,
    sync,
    valkey,
    workers,
)

Check = Callable[[], Iterator[Finding]]

ESSENTIAL: tuple[Check, ...] = (valkey.unreachable, database.unreachable)
CHECKS: tuple[Check, ...] = (
    *ESSENTIAL,
    database.outdated,
    sessions.blocked,
    sessions.settings,
    sessions.connections,
    valkey.refuses_writes,
    queues.suspended,
    queues.not_served,
    queues.not_consumed,
    sync.stalled,
    sync.paused,
    sync.many_failed,
    application.chat,
    application.payment_api,
    application.attacks,
    valkey.memory,
    database.event_log,
    host.disk,
    workers.dead,
    workers.unnamed,
    workers.failed,
)
SEVERITY = (BROKEN, WARNING)

logger = logging.getLogger(__name__)


def report() -> dict[str, Any]:
    """Return `status` ("ok", "warning" or "broken") and `findings`, in the reader's language."""
    findings = _diagnose(str(get_locale()))
    return {
        "status": findings[0].level if findings else "ok",
        "findings": [finding.as_json() for finding in findings],
    }


@ttl_cache(2.0)
def _diagnose(_language: str) -> Sequence[Finding]:
    return sorted(_run_checks(CHECKS), key=lambda finding: SEVERITY.index(finding.level))


def _run_checks(checks: Sequence[Check]) -> list[Finding]:
    """Run the checks. A check whose server is unreachable is skipped, because one of the
    `ESSENTIAL` checks already reports that."""
    found: list[Finding] = []
    for check in checks:
        try:
            found += check()
        except RedisError as error:
            logger.debug("%s: %s", check.__name__, error)
        except SQLAlchemyError as error:
            db.session.rollback()
            logger.debug("%s: %s", check.__name__, error)
    return found
