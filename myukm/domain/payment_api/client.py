"""The client of the payment API: one request, one classified response. The caller retries."""

import logging
import re
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError
from rq.timeouts import BaseTimeoutException
from yarl import URL

from myukm.domain.payment_api.body import InvalidBody
from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.parser import Answer, NotModified, WrongStudent, parse
from myukm.domain.payment_api.roster import Roster, read

MAX_BYTES, MAX_ROSTER_BYTES = 5 * 1024 * 1024, 128 * 1024 * 1024
# Some servers send headers far beyond the usual limits of 8 KiB and 128 lines.
MAX_HEADER_BYTES, MAX_HEADERS = 256 * 1024, 1000
MAX_WAIT_SECONDS, DEFAULT_WAIT_SECONDS = 300.0, 1.0
# An entity tag (RFC 9110, 8.8.3) that fits into our column: up to 184 plain characters.
ETAG = re.compile(r'(W/)?"[!#-~]{1,180}"')


class TooLarge(Exception):
    """The body is larger than the caller allows."""


# The order matters, because a timeout is an OSError as well.
EXCEPTION_CODES: dict[type[Exception], str] = {
    TimeoutError: "timeout",
    TooLarge: "too_large",
    WrongStudent: "wrong_student",
    InvalidBody: "invalid_body",
    aiohttp.ClientResponseError: "invalid_body",  # an answer that is not HTTP
    aiohttp.ClientError: "connection",
    OSError: "connection",
}

T = TypeVar("T")
logger = logging.getLogger(__name__)


class PaymentApi:
    """Connections to the payment API, kept alive; `settings` is the app's configuration.

    Used as `async with PaymentApi(settings) as api`. `received` counts the bytes in the bodies of
    all responses to `payments`.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._base = settings["PEMBAYARAN_API_URL"]
        self._timeout = aiohttp.ClientTimeout(total=settings["PEMBAYARAN_API_TIMEOUT"])
        secure = self._base.startswith("https:")
        self._tls = tls_context(settings["PEMBAYARAN_API_CA"]) if secure else True
        self._headers = {"Accept": "application/json", "User-Agent": "MyUKM"}
        if token := settings["PEMBAYARAN_API_TOKEN"]:
            self._headers["Authorization"] = f"Bearer {token}"
        self.received = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60, ssl=self._tls),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=self._timeout,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            max_headers=MAX_HEADERS,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def payments(self, idperson: str, etag: str | None = None) -> Answer:
        """Request a student's payments once and return them, or the failure.

        `etag` is the tag of the stored answer: if it is still current, the result is `NotModified`.
        """

        def read_body(body: bytes, headers: Mapping[str, str]) -> Answer:
            self.received += len(body)
            tag = headers.get("ETag", "")
            return parse(body, idperson, tag if ETAG.fullmatch(tag) else None)

        path = f"payments/{quote(idperson, safe='')}"
        condition = {"If-None-Match": etag} if etag else None
        answer = await self._get(path, MAX_BYTES, read_body, condition)
        if etag and isinstance(answer, Failure) and answer.http == 304:
            return NotModified()
        return answer

    async def roster(self) -> Roster | Failure:
        """Request all students once and return them, or the failure."""
        return await self._get("siswa", MAX_ROSTER_BYTES, read)

    async def _get(
        self,
        path: str,
        limit: int,
        read_body: Callable[[bytes, Mapping[str, str]], T],
        headers: Mapping[str, str] | None = None,
    ) -> T | Failure:
        """Return what `read_body` makes of the body, or a failure. Raises only RQ's timeout."""
        url = URL(f"{self._base}/{path}", encoded=True)
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False) as response:
                if response.status != 200:
                    return from_status(response.status, response.headers.get("Retry-After"))
                body = await _body(response, limit)
            return read_body(body, response.headers)
        except BaseTimeoutException:
            raise
        except Exception as error:  # noqa: BLE001 (a bad answer fails one student only)
            return from_exception(error)


def tls_context(files: list[str]) -> ssl.SSLContext:
    """Return a context that trusts the system's CAs and the CAs in `files` (files or folders)."""
    context = ssl.create_default_context()
    for name in files:
        place = {"capath" if Path(name).is_dir() else "cafile": name}
        context.load_verify_locations(**place)
    return context


async def _body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)


def from_exception(error: Exception) -> Failure:
    """Return the failure for an exception. Every such failure is retried.

    An unexpected exception is logged, because it is our bug, but fails only this student.
    """
    code = next(
        (code for kind, code in EXCEPTION_CODES.items() if isinstance(error, kind)), "internal"
    )
    if isinstance(error.__cause__, ContentEncodingError):
        code, error = "invalid_body", error.__cause__
    if code == "internal":
        logger.error("payment API: an answer raised an unexpected error", exc_info=error)
    detail = error.args[0] if isinstance(error, InvalidBody) else ""
    if not detail and code in ("connection", "invalid_body", "internal"):
        detail = type(error).__name__
    return Failure(code, Action.RETRY, detail=detail)


def from_status(status: int, retry_after: str | None) -> Failure:
    """Return the failure for a status other than 200; docs/operations.md lists the codes."""
    if status == 404:
        return Failure("not_found", Action.FINAL, status)
    if status == 401:
        return Failure("client_error", Action.UNAUTHORIZED, status)
    if status == 403:
        return Failure("client_error", Action.FORBIDDEN, status)
    if status == 429 or (status == 503 and retry_after is not None):
        code = "client_error" if status == 429 else "server_error"
        return Failure(code, Action.WAIT, status, seconds_to_wait(retry_after))
    if status >= 500:
        return Failure("server_error", Action.RETRY, status)
    return Failure("client_error", Action.FINAL, status)


def seconds_to_wait(retry_after: str | None) -> float:
    """Return the seconds of a Retry-After (RFC 9110, 10.2.3), at most five minutes.

    An unreadable or past time counts as one second.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(max(float(text[:9]), DEFAULT_WAIT_SECONDS), MAX_WAIT_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        left = (moment - datetime.now(UTC)).total_seconds()
    except (ValueError, ArithmeticError):  # not a date, or out of datetime's range
        return DEFAULT_WAIT_SECONDS
    return min(max(left, DEFAULT_WAIT_SECONDS), MAX_WAIT_SECONDS)
