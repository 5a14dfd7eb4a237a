"""Retry policy: classify a response as done, failed, retry, or deferred."""

import random
from collections.abc import Callable

from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.gate import WINDOW, ApiGate
from myukm.domain.payment_api.parser import Answer
from myukm.domain.payment_api.work_item import Result, WorkItem

FIRST_BACKOFF, MAX_BACKOFF = 0.5, 30.0
MAX_WAITED = 600.0
MAX_BREAKER_HITS = 3
FORBIDDEN_IN_A_ROW = 10


class RetryPolicy:
    """Classifies responses; finished students go to `settle`, others to `again` with a delay.

    `refused` becomes the code of why the run must pause: the API refuses our token.
    """

    def __init__(
        self,
        gate: ApiGate,
        tries: int,
        complete: Callable[[Result], None],
        retry: Callable[[WorkItem, float], None],
    ) -> None:
        self._gate, self._max_tries = gate, tries
        self._complete, self._retry_after = complete, retry
        self._deferred: list[tuple[WorkItem, Failure, int]] = []
        self._forbidden: list[tuple[WorkItem, Failure]] = []
        self.refused: str | None = None

    @property
    def deferred(self) -> int:
        """How many students are deferred until other responses tell more."""
        return len(self._deferred) + len(self._forbidden)

    def on_response(self, item: WorkItem, answer: Answer, breaker_generation: int) -> None:
        """Classify the response to a request sent under this breaker generation."""
        failure = answer if isinstance(answer, Failure) else None
        action = failure.action if failure else Action.FINAL
        fresh = not item.tries and not item.strikes
        self._gate.record(failure, breaker_generation, fresh=fresh)
        if action is not Action.WAIT:
            item.attempts += 1
        if failure is None or action is Action.FINAL:
            self._complete(Result.of(item, answer))
            self._fail_forbidden()
        elif action is Action.WAIT:
            self._wait(item, failure)
        elif action is Action.RETRY:
            self._retry(item, failure, breaker_generation)
        elif action is Action.UNAUTHORIZED:
            self.refused = "unauthorized"
        else:
            self._defer_forbidden(item, failure)

    def review_deferred(self, *, idle: bool) -> None:
        """Decide about deferred students, by later responses or because there will be none
        (`idle`)."""
        deferred, self._deferred = self._deferred, []
        for item, failure, seen in deferred:
            if self._gate.is_open:
                self._count_breaker_hit(item, failure)
            elif idle or self._gate.reports - seen >= WINDOW:
                self._complete(Result.of(item, failure))
            else:
                self._deferred.append((item, failure, seen))
        if idle:
            self._fail_forbidden()

    def _wait(self, item: WorkItem, failure: Failure) -> None:
        item.waited += failure.wait
        if item.waited > MAX_WAITED:
            self._complete(Result.of(item, failure))
        else:
            self._retry_after(item, 0.0)

    def _retry(self, item: WorkItem, failure: Failure, breaker_generation: int) -> None:
        if failure.counts_as_outage and (
            self._gate.is_open or breaker_generation != self._gate.breaker_generation
        ):
            self._count_breaker_hit(item, failure)
            return
        if item.breaker_generation != breaker_generation:
            item.strikes += item.tries > 0
            item.tries, item.breaker_generation = 0, breaker_generation
        item.tries += 1
        if item.tries < self._max_tries:
            self._retry_after(item, backoff(item.tries))
        elif failure.counts_as_outage:
            self._deferred.append((item, failure, self._gate.reports))
        else:
            self._complete(Result.of(item, failure))

    def _count_breaker_hit(self, item: WorkItem, failure: Failure) -> None:
        """Failed while the breaker was opening: retry without spending an attempt, up to
        MOST_STRIKES times."""
        item.strikes += 1
        item.tries = 0
        if item.strikes >= MAX_BREAKER_HITS:
            self._complete(Result.of(item, failure))
        else:
            self._retry_after(item, 0.0)

    def _defer_forbidden(self, item: WorkItem, failure: Failure) -> None:
        """One 403 concerns its student, ten in a row our token: defer until that is clear."""
        self._forbidden.append((item, failure))
        if len(self._forbidden) >= FORBIDDEN_IN_A_ROW:
            self.refused = "forbidden"

    def _fail_forbidden(self) -> None:
        for item, failure in self._forbidden:
            self._complete(Result.of(item, failure))
        self._forbidden.clear()


def backoff(tries: int) -> float:
    """Return the seconds before the next try: twice as long each time, spread by half."""
    limit = min(FIRST_BACKOFF * 2.0 ** (tries - 1), MAX_BACKOFF)
    return limit * random.uniform(0.5, 1.5)  # noqa: S311 (spread, no secret)
