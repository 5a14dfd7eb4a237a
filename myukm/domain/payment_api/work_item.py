"""A student in a lane, as one object from claim to outcome."""

from dataclasses import dataclass
from typing import Any, Self

from myukm.domain.payment_api.parser import Answer, Payments


@dataclass(slots=True, eq=False)
class Item:
    """One student from the claim to the outcome, filled step by step.

    Claimed: `item_id` is the id of a `sync_item`, or of a `sync_request` if `requested`.
    `breaker_hits` and `retry_after_seconds` are stored when an unfinished item is released. `doubt`
    says what the first answer would have taken away: that answer was quarantined, and the student
    is fetched again. `etag` is the tag of the stored answer.

    Fetched: `tries` counts the attempts since the breaker last opened (in `breaker_generation`),
    `attempts` all of them. `answer` is the final answer.

    Compared (`domain.sync.results`): `row` is the student's row, None if it was deleted or the
    request failed. `new` are payments that differ from the stored ones, `old` are the stored ones.
    `stale`: the API answered "not modified", but the stored data has been replaced since the
    request. `code` and `message` say why the student failed or is quarantined.
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
        """A key that is unique among items of a run and requested students."""
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
        """Set the final answer and return the item."""
        self.answer = answer
        return self
