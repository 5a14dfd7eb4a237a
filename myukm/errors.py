"""Errors with a message for the user and an HTTP status."""

from collections.abc import Mapping
from typing import Any


class DomainError(Exception):
    """A refused request; `message` is for the user, `code` for scripts.

    `message` is a lazy translation or a plain string, `status` the HTTP status, `retry_after` the
    number of seconds to wait before trying again.
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
        """The HTTP headers of the error response."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}

    def as_json(self) -> Mapping[str, Any]:
        """Return the JSON body of the error response."""
        return {"error": {"code": self.code, "message": str(self.message)}}


class NotFound(DomainError):
    """The thing does not exist, or this user may not see it."""

    status = 404
    code = "not_found"


class Forbidden(DomainError):
    """The user may not do this."""

    status = 403
    code = "forbidden"


class Conflict(DomainError):
    """The current state does not allow the action (already running, already a member)."""

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
    """A server (Valkey, the payment API) does not answer, or this process is too busy."""

    status = 503
    code = "unavailable"
