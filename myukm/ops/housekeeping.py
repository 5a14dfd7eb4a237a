"""Keeps what is stored within its bounds, a little at a time."""

import time
from collections.abc import Callable, Sequence

from myukm.domain.people import expiry
from myukm.domain.sync import payment_history, sync_prune
from myukm.live import retention

EVERY_SECONDS = 60.0
CHORES = (payment_history.prune, sync_prune.prune, expiry.prune, retention.Pruner().prune)


class Housekeeper:
    """Lets each chore (it says whether there is more to do) run once a minute, or while it must."""

    def __init__(self, chores: Sequence[Callable[[], bool]] = CHORES) -> None:
        self._chores = chores
        self._next = 0.0

    def keep_house(self) -> None:
        """Do one portion of each chore when it is time."""
        if time.monotonic() < self._next:
            return
        more = [chore() for chore in self._chores]
        self._next = 0.0 if any(more) else time.monotonic() + EVERY_SECONDS
