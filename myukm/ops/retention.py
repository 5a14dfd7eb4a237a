"""Retention: deletes old rows in small portions, so that no lock is held for long."""

import time
from collections.abc import Callable
from functools import wraps

from myukm.domain.accounts import retention as account_retention
from myukm.domain.exports import retention as export_retention
from myukm.domain.files import cleanup
from myukm.domain.income import closing
from myukm.domain.roster import retention as roster_retention
from myukm.domain.sync import payment_history
from myukm.domain.sync import retention as run_retention
from myukm.live import retention
from myukm.ops.history import samples

PRUNE_SECONDS = 60.0
PRUNERS = (
    payment_history.prune,
    closing.prune,
    run_retention.prune,
    account_retention.prune,
    roster_retention.prune,
    export_retention.prune,
    cleanup.prune_unsent,
    retention.Pruner().prune,
    samples.prune,
)


def every_minute(prune: Callable[[], bool]) -> Callable[[], None]:
    """Return a periodic task that calls `prune` once a minute, or again at the next call while
    `prune` returns that there is more to delete. Each pruner is a task of its own, because an
    exception skips the rest of its task."""
    due = 0.0

    @wraps(prune)
    def run() -> None:
        nonlocal due
        if time.monotonic() < due:
            return
        due = time.monotonic() + PRUNE_SECONDS
        if prune():
            due = 0.0

    return run
