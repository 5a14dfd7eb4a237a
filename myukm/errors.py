"""What can go wrong, in the user's words, with the HTTP status that says so."""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """A request that the program refuses; `message` is for the user, `code` for scripts.

    `message` is a translatable (lazy) or plain string. `status` is the HTTP status. `retry_after`
    is in how many seconds it makes sense to try again.
    """

    status = 400
    code = "bad_request"

    def __init__(
        self,
        message: Any,
        *,
        code: str | None = None,
        status: int | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.status = status or self.status
        self.retry_after = retry_after

    def __str__(self) -> str:
        return str(self.message)

    @property
    def headers(self) -> Mapping[str, str]:
        """The HTTP headers that go with it."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}

    def as_json(self) -> Mapping[str, Any]:
        """Return the JSON form that every API call answers errors with."""
        return {"error": {"code": self.code, "message": str(self.message)}}


class NotFound(DomainError):
    """There is no such thing, or none that this user may see."""

    status = 404
    code = "not_found"


class Forbidden(DomainError):
    """The user may not do this."""

    status = 403
    code = "forbidden"


class Conflict(DomainError):
    """It makes no sense now (already running, already a member)."""

    status = 409
    code = "conflict"


class Invalid(DomainError):
    """The input is wrong; nothing was changed."""

    status = 422
    code = "invalid"


class TooFast(DomainError):
    """Too many requests; try again later."""

    status = 429
    code = "too_fast"


class Unavailable(DomainError):
    """A part that this needs (Valkey, the payment API) does not answer."""

    status = 503
    code = "unavailable"
