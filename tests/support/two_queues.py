"""Distributes the test files: half of the test processes begin with tests that mostly wait.

Most tests of jobs and faults wait for time-outs of the program and leave the processors idle; tests
of pages use them meanwhile.
"""

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# The folders of the two queues. Folders with the longest files come first, so that in the end no
# process is still busy with a long file while the others have nothing to do.
WAITING = ("faults", "jobs", "machines", "ops", "worker", "demo", "production", "cli")
BUSY = ("browser", "web", "domain")


def rank(path: str) -> int:
    """Return the position in its queue of a path such as "tests/jobs/test_chat.py::test"."""
    folder = _folder(path)
    order = WAITING if folder in WAITING else BUSY
    return order.index(folder) if folder in order else len(order)


def _folder(path: str) -> str:
    return path.split("/")[1]


class TwoQueues(LoadFileScheduling):  # type: ignore[misc]
    """Gives a process the next file of its queue, or of the other queue when its own is empty."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        waits = int(node.gateway.id.removeprefix("gw")) % 2 == 0
        for path in self.workqueue:
            if (_folder(path) in WAITING) == waits:
                self.workqueue.move_to_end(path, last=False)
                break
        super()._assign_work_unit(node)
