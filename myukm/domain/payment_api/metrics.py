"""Request metrics of a run: requests, bytes, latencies.

Each lane keeps its own sums and overwrites its row in the turn that writes its students, so a
repeated turn or a dead lane counts nothing twice.
"""

from myukm import instruments
from myukm.domain.payment_api.errors import Failure
from myukm.domain.payment_api.parser import Answer, NotModified
from myukm.histogram import bucket

_STEPS = (1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0)
# Upper bounds of the histogram's buckets, in ms; the last bucket has none.
BUCKETS_MS = tuple(step * size for size in (1.0, 10.0, 100.0, 1000.0, 10_000.0) for step in _STEPS)


class RequestStats:
    """A lane's sums: `limited` counts answers 429, `received` bytes, `latency` is a histogram."""

    def __init__(self) -> None:
        self.requests = self.retries = self.limited = self.received = 0
        self.latency = [0] * (len(BUCKETS_MS) + 1)

    def observe(self, seconds: float, answer: Answer, *, is_retry: bool) -> None:
        """Count a request that took `seconds`."""
        self.requests += 1
        self.retries += is_retry
        self.limited += isinstance(answer, Failure) and answer.http == 429
        instruments.increment(instruments.API, _status(answer))
        self.latency[bucket(BUCKETS_MS, seconds * 1000)] += 1


def _status(answer: Answer) -> str:
    """Return the HTTP status of an answer, or the code of a failure without a status."""
    if isinstance(answer, Failure):
        return str(answer.http or answer.code)
    return "304" if isinstance(answer, NotModified) else "200"
