"""The one shape of a student in a lane, from claim to outcome."""

from dataclasses import dataclass
from typing import Any, Self

from myukm.domain.payment_api.parser import Answer, Payments


@dataclass(slots=True, eq=False)
class Item:
    """One student from the claim to the outcome, filled step by step.

    Claimed: `item_id` is the run's item, or the request of a person who waits (`requested`).
    `breaker_hits` and `retry_after_seconds` are kept when the student is given back. `doubt` says
    what an earlier answer would have taken away: it was not believed, and is asked for again.
    `etag` names the answer that we have.

    Asked: `tries` counts since the breaker last opened (`breaker_generation` says when that was),
    `attempts` in all. `answer` is the last answer, once it decides.

    Compared (`domain.sync.results`): `row` is the student's row, None when it was deleted. `new`
    are payments that differ from what we have, `old` is what we had. `stale`: "not modified" was
    said of data that is not ours any more. `code` and `message` say why the student failed.
    """

    item_id: int
    idperson: str
    breaker_hits: int = 0
    retry_after_seconds: float = 0.0
    doubt: str | None = None
    requested: bool = False
    etag: str | None = None
    tries: int = 0
    attempts: int = 0
    breaker_generation: int = 0
    answer: Answer | None = None
    row: Any = None
    old: Any = None
    new: Payments | None = None
    stale: bool = False
    code: str | None = None
    message: Any = None

    @property
    def key(self) -> tuple[bool, int]:
        """A key that is different for items of a run and requested students."""
        return self.requested, self.item_id

    @property
    def payments(self) -> Payments | None:
        """The answer's payments, None for a failure or "not modified"."""
        return self.answer if isinstance(self.answer, Payments) else None

    @property
    def compared(self) -> bool:
        """Whether this is the first answer about a student with stored data."""
        known = self.row is not None and (self.new is None or self.row.filled)
        return known and self.doubt is None

    def complete(self, answer: Answer) -> Self:
        """Keep the answer that decides about the student."""
        self.answer = answer
        return self
