"""The client of the payment API: one request, one judgement. Patience is the caller's."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import quote

import aiohttp
from yarl import URL

from myukm.domain.api.failures import Failure, Kind
from myukm.domain.api.payments import Answer, InvalidBody, NotModified, WrongStudent, parse

MOST_BYTES = 5 * 1024 * 1024
LONGEST_WAIT, DEFAULT_WAIT = 300.0, 1.0
# An entity tag (RFC 9110, 8.8.3) that we can keep: 184 characters, plain ones only.
TAG = re.compile(r'(W/)?"[!#-~]{1,180}"')


class TooLarge(Exception):
    """The answer has more than `MOST_BYTES`."""


# A time-out is an OSError as well, so the order matters.
FAULTS: dict[type[Exception], str] = {
    TimeoutError: "timeout",
    TooLarge: "too_large",
    WrongStudent: "wrong_student",
    InvalidBody: "invalid_body",
    aiohttp.ClientError: "connection",
    OSError: "connection",
}


class PaymentApi:
    """Connections to the payment API, kept alive; `settings` is the app's configuration.

    Used as `async with PaymentApi(settings) as api`. `received` counts the bytes of good answers.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._base = settings["PEMBAYARAN_API_URL"]
        self._timeout = aiohttp.ClientTimeout(total=settings["PEMBAYARAN_API_TIMEOUT"])
        self._headers = {"Accept": "application/json", "User-Agent": "MyUKM"}
        if token := settings["PEMBAYARAN_API_TOKEN"]:
            self._headers["Authorization"] = f"Bearer {token}"
        self.received = 0

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=self._timeout,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def payments(self, idperson: str, etag: str | None = None) -> Answer:
        """Ask once for a student's payments and return them, or why there are none.

        `etag` names the answer that we have: the API may say that it still holds.
        """
        url = URL(f"{self._base}/payments/{quote(idperson, safe='')}", encoded=True)
        try:
            known = {"If-None-Match": etag} if etag else None
            async with self._session.get(url, headers=known, allow_redirects=False) as response:
                if response.status == 304 and etag:
                    return NotModified()
                if response.status != 200:
                    return refusal(response.status, response.headers.get("Retry-After"))
                body = await _body(response)
                tag = response.headers.get("ETag", "")
            self.received += len(body)
            return parse(body, idperson, tag if TAG.fullmatch(tag) else None)
        except tuple(FAULTS) as error:
            return fault(error)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MOST_BYTES:
            raise TooLarge
    return bytes(body)


def fault(error: Exception) -> Failure:
    """Return what an exception (one of `FAULTS`) means; all are worth another try."""
    code = next(code for kind, code in FAULTS.items() if isinstance(error, kind))
    detail = type(error).__name__ if code == "connection" else ""
    if isinstance(error, InvalidBody):
        detail = error.args[0]
    return Failure(code, Kind.RETRY, detail=detail)


def refusal(status: int, retry_after: str | None) -> Failure:
    """Return what an answer other than 200 means, by the table in the contract."""
    if status == 404:
        return Failure("not_found", Kind.FINAL, status)
    if status == 401:
        return Failure("client_error", Kind.UNAUTHORIZED, status)
    if status == 403:
        return Failure("client_error", Kind.FORBIDDEN, status)
    if status == 429 or (status == 503 and retry_after is not None):
        code = "client_error" if status == 429 else "server_error"
        return Failure(code, Kind.WAIT, status, seconds_to_wait(retry_after))
    if status >= 500:
        return Failure("server_error", Kind.RETRY, status)
    return Failure("client_error", Kind.FINAL, status)


def seconds_to_wait(retry_after: str | None) -> float:
    """Return the seconds of a Retry-After (RFC 9110, 10.2.3), at most five minutes.

    What can't be understood, or is no time to come, counts as one second.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(max(float(text[:9]), DEFAULT_WAIT), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return DEFAULT_WAIT
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    left = (moment - datetime.now(UTC)).total_seconds()
    return min(max(left, DEFAULT_WAIT), LONGEST_WAIT)
