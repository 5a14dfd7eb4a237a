"""Recover jobs orphaned by a worker that died between dequeue and start.

RQ's own workers check only at their start and every ten minutes; this checks every ten seconds.
"""

import time

from rq.registry import clean_registries

from myukm.domain.standstill import SeenTwice
from myukm.extensions import valkey
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import QUEUES
from myukm.queues.workers import keep_running_jobs

RECOVER_SECONDS = 10.0


class OrphanRecovery:
    """Requeues jobs that were dequeued and never started, and marks jobs failed whose worker
    died while running them."""

    def __init__(self) -> None:
        self._orphans = SeenTwice[tuple[str, str]]()
        self._next = 0.0

    def recover(self) -> None:
        """Check each queue; does nothing if the last check is less than ten seconds ago."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + RECOVER_SECONDS
        found = [(name, job_id) for name in QUEUES for job_id in _orphaned(name)]
        for name, job_id in self._orphans.of(found):
            _requeue(name, job_id)
        keep_running_jobs(valkey())
        for name in QUEUES:
            clean_registries(get_queue(name))


def _orphaned(name: str) -> set[str]:
    """Return the ids of jobs that a worker dequeued and did not start."""
    source = get_queue(name)
    taken = set(source.intermediate_queue.get_job_ids())
    begun = set(source.started_job_registry.get_job_ids(cleanup=False)) if taken else set()
    return taken - begun


def _requeue(name: str, job_id: str) -> None:
    source = get_queue(name)
    if valkey().lrem(source.intermediate_queue.key, 1, job_id):
        valkey().lpush(source.key, job_id)
