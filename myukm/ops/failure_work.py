"""The leader's work on failed jobs: it indexes them by kind, and continues bulk actions."""

import time

from myukm.queues.failures import actions, index
from myukm.queues.jobs import QUEUES

# The pause before an index that has all failures is compared with the registry again.
SETTLED_SECONDS = 5.0


class FailureWorker:
    """Indexes the newest failures and a portion of the others until all are indexed, and works for
    half a second on each bulk action. A task of the leader, called each second."""

    def __init__(self) -> None:
        self._cursors = {name: index.Cursor() for name in QUEUES}
        self._next = dict.fromkeys(QUEUES, 0.0)

    def run(self) -> None:
        """Do one round."""
        for name in QUEUES:
            if time.monotonic() < self._next[name]:
                continue
            if index.is_up_to_date(name):
                self._next[name] = time.monotonic() + SETTLED_SECONDS
                continue
            index.refresh_newest(name)
            self._cursors[name] = index.refresh(name, self._cursors[name])
        for work in actions.works():
            if not work.ended:
                actions.go_on(work.queue)
