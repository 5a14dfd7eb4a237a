"""Shares the files out to the test processes: half of them begin with tests that mostly wait.

Most tests of jobs and faults wait for time-outs of the program and leave the processors idle, which
tests of pages keep busy meanwhile.
"""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# What waits, and what is first in it: the longest, so that no process works on one alone in the
# end. In the other queue the browser's files are first, each process's one after the other.
WAITING = ("faults", "jobs", "machines", "ops", "worker", "demo", "production", "cli")
BUSY = ("browser", "web", "domain")


def rank(path: str) -> int:
    """Return the place in its queue of a test's path, such as "tests/jobs/test_chat.py::test"."""
    folder = _folder(path)
    order = WAITING if folder in WAITING else BUSY
    return order.index(folder) if folder in order else len(order)


def _folder(path: str) -> str:
    return path.split("/")[1]


class TwoQueues(LoadFileScheduling):  # type: ignore[misc]
    """Gives a process the next file of its queue, or of the other one when that is empty."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        waits = int(node.gateway.id.removeprefix("gw")) % 2 == 0
        for path in self.workqueue:
            if (_folder(path) in WAITING) == waits:
                self.workqueue.move_to_end(path, last=False)
                break
        super()._assign_work_unit(node)
