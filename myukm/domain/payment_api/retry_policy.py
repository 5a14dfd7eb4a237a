"""Retry policy: classifies a response as done, failed, retry, or deferred."""

import random
from typing import NamedTuple

from myukm.backoff import backoff
from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.gate import WINDOW, Gate
from myukm.domain.payment_api.parser import Answer
from myukm.domain.payment_api.work_item import Item

FIRST_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 0.5, 30.0
MAX_WAITED_SECONDS = 600.0
MAX_BREAKER_HITS = 3
FORBIDDEN_IN_A_ROW = 10


class Verdict(NamedTuple):
    """What to do with a student: send again in `retry_in` seconds; None: its answer is final."""

    item: Item
    retry_in: float | None = None


class RetryPolicy:
    """Classifies responses: its verdicts say which students are done, and which to send again.

    `refused` is set to a code of `pausing.REFUSALS` when the API refuses our token, so that the run
    must pause.
    """

    def __init__(self, gate: Gate, tries: int) -> None:
        self._gate, self._max_tries = gate, tries
        self._deferred: list[tuple[Item, Failure, int]] = []
        self._forbidden: list[tuple[Item, Failure]] = []
        self.refused: str | None = None

    @property
    def deferred(self) -> int:
        """The number of students that are deferred until other responses decide."""
        return len(self._deferred) + len(self._forbidden)

    def classify(self, item: Item, answer: Answer, breaker_generation: int) -> list[Verdict]:
        """Classify the response to a request sent under this breaker generation.

        A student without a verdict is deferred. There may be verdicts on deferred students as well.
        """
        failure = answer if isinstance(answer, Failure) else None
        action = failure.action if failure else Action.FINAL
        fresh = not item.tries and not item.breaker_hits
        self._gate.record(failure, breaker_generation, fresh=fresh)
        if action is not Action.WAIT:
            item.attempts += 1
        if failure is None or action is Action.FINAL:
            return [_done(item, answer), *self._fail_forbidden()]
        if action is Action.WAIT:
            return [self._wait(item, failure)]
        if action is Action.RETRY:
            return self._retry(item, failure, breaker_generation)
        if action is Action.UNAUTHORIZED:
            self.refused = "unauthorized"
        else:
            self._defer_forbidden(item, failure)
        return []

    def review_deferred(self, *, idle: bool) -> list[Verdict]:
        """Decide about deferred students by the responses since, or because there will be no other
        responses (`idle`)."""
        verdicts: list[Verdict] = []
        deferred, self._deferred = self._deferred, []
        for item, failure, reports_before in deferred:
            if self._gate.is_open:
                verdicts.append(self._count_breaker_hit(item, failure))
            elif idle or self._gate.reports - reports_before >= WINDOW:
                verdicts.append(_done(item, failure))
            else:
                self._deferred.append((item, failure, reports_before))
        return [*verdicts, *(self._fail_forbidden() if idle else ())]

    def _wait(self, item: Item, failure: Failure) -> Verdict:
        item.retry_after_seconds += failure.wait
        has_waited_too_long = item.retry_after_seconds > MAX_WAITED_SECONDS
        return _done(item, failure) if has_waited_too_long else Verdict(item, 0.0)

    def _retry(self, item: Item, failure: Failure, breaker_generation: int) -> list[Verdict]:
        if failure.counts_as_outage and (
            self._gate.is_open or breaker_generation != self._gate.breaker_generation
        ):
            return [self._count_breaker_hit(item, failure)]
        if item.breaker_generation != breaker_generation:
            item.breaker_hits += item.tries > 0
            item.tries, item.breaker_generation = 0, breaker_generation
        item.tries += 1
        if item.tries < self._max_tries:
            return [Verdict(item, spread_backoff(item.tries))]
        if failure.counts_as_outage:
            self._deferred.append((item, failure, self._gate.reports))
            return []
        return [_done(item, failure)]

    def _count_breaker_hit(self, item: Item, failure: Failure) -> Verdict:
        """Retry without counting a try, because the breaker was opening; after MAX_BREAKER_HITS
        times the student fails."""
        item.breaker_hits += 1
        item.tries = 0
        return _done(item, failure) if item.breaker_hits >= MAX_BREAKER_HITS else Verdict(item, 0.0)

    def _defer_forbidden(self, item: Item, failure: Failure) -> None:
        """Defer the student: one 403 concerns that student alone, ten in a row our token."""
        self._forbidden.append((item, failure))
        if len(self._forbidden) >= FORBIDDEN_IN_A_ROW:
            self.refused = "forbidden"

    def _fail_forbidden(self) -> list[Verdict]:
        forbidden, self._forbidden = self._forbidden, []
        return [_done(item, failure) for item, failure in forbidden]


def _done(item: Item, answer: Answer) -> Verdict:
    return Verdict(item.complete(answer))


def spread_backoff(tries: int) -> float:
    """Return the seconds before the next try: doubled with each try, times a random 0.5 to 1.5."""
    spread = random.uniform(0.5, 1.5)  # noqa: S311 (no secret)
    return backoff(FIRST_BACKOFF_SECONDS, MAX_BACKOFF_SECONDS, tries - 1) * spread
