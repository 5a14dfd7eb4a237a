"""Retention: deletes old rows in small portions, so that no lock is held for long."""

import time
from collections.abc import Callable, Sequence

from myukm.domain.accounts import retention as account_retention
from myukm.domain.exports import retention as export_retention
from myukm.domain.files import cleanup
from myukm.domain.income import closing
from myukm.domain.roster import retention as roster_retention
from myukm.domain.sync import payment_history
from myukm.domain.sync import retention as run_retention
from myukm.live import retention
from myukm.ops.history import samples

EVERY_SECONDS = 60.0
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


class RetentionRunner:
    """Runs each pruner once a minute, or again at once while it reports more to do."""

    def __init__(self, pruners: Sequence[Callable[[], bool]] = PRUNERS) -> None:
        self._pruners = pruners
        self._next = 0.0

    def run(self) -> None:
        """Run one portion of each pruner when it is due."""
        if time.monotonic() < self._next:
            return
        more = [pruner() for pruner in self._pruners]
        self._next = 0.0 if any(more) else time.monotonic() + EVERY_SECONDS
