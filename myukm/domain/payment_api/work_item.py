"""A claimed item in flight, and its result."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from myukm.domain.payment_api.errors import Failure, message
from myukm.domain.payment_api.parser import Answer, Payments


@dataclass(slots=True)
class WorkItem:
    """A claimed item and its retry state.

    `tries` counts since the breaker last opened (`breaker_generation` says when that was),
    `attempts` in all; `breaker_hits` and `retry_after_seconds` are kept when the student is
    given back. `etag` is the API's name for the answer that we have. `doubt` says what an earlier
    answer would have taken away: it was not believed, and is asked for again. `requested`: a
    person waits for this one, who is asked for first; `item_id` is the request's."""

    item_id: int
    idperson: str
    breaker_hits: int = 0
    retry_after_seconds: float = 0.0
    tries: int = 0
    attempts: int = 0
    breaker_generation: int = 0
    etag: str | None = None
    doubt: str | None = None
    requested: bool = False

    @property
    def key(self) -> tuple[bool, int]:
        """Tell students of a run and requested ones apart."""
        return self.requested, self.item_id


class Result(NamedTuple):
    """What became of a student: payments, or a failure's code and words, or neither: the data that
    we have under `etag` still stands."""

    item_id: int
    idperson: str
    attempts: int
    payments: Payments | None
    code: str | None = None
    message: str | None = None
    etag: str | None = None
    doubt: str | None = None
    requested: bool = False

    @property
    def key(self) -> tuple[bool, int]:
        """The key of its student."""
        return self.requested, self.item_id

    @classmethod
    def of(cls, item: WorkItem, answer: Answer) -> Self:
        """Return the outcome that `answer` means for `item`."""
        key = (item.item_id, item.idperson, item.attempts)
        own = cls(*key, None, doubt=item.doubt, requested=item.requested)
        if isinstance(answer, Failure):
            return own._replace(code=answer.code, message=message(answer))
        if isinstance(answer, Payments):
            return own._replace(payments=answer)
        return own._replace(etag=item.etag)
