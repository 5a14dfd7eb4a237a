"""The session cookie: its name contains the port, and its signature never expires.

Browsers send a cookie to all ports of a host, so two instances on one host need two names.

itsdangerous refuses signatures from the future, so other machines would refuse a cookie that was
signed on a machine whose clock is ahead. The row of the log-in decides when the log-in ends.
"""

from contextlib import suppress
from copy import deepcopy
from functools import lru_cache
from typing import Any

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

from myukm import addresses


class _Signer(TimestampSigner):
    def unsign(  # type: ignore[override]
        self, signed_value: Any, max_age: int | None = None, **options: Any
    ) -> Any:
        return super().unsign(signed_value, None, **options)


class SessionCookie(SecureCookieSessionInterface):
    """The cookie `myukm`, or `myukm_8443` if users see another port than the default one.

    The name without a port is read as well, for log-ins made before the name had one.
    """

    def __init__(self) -> None:
        self._serializer: URLSafeTimedSerializer | None = None

    def get_cookie_name(self, app: Flask) -> str:
        """Return the name for the address of this request."""
        address = app.config["PUBLIC_URL"] or f"http://{request.host}"
        port = addresses.port(address)
        return (
            f"{app.config['SESSION_COOKIE_NAME']}_{port}" if port else super().get_cookie_name(app)
        )

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of the cookie with the port, else of the cookie without it."""
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        for name in (self.get_cookie_name(app), super().get_cookie_name(app)):
            with suppress(BadSignature):
                if content := _content(serializer, request.cookies.get(name, "")):
                    return self.session_class(deepcopy(content))
        return self.session_class()

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return Flask's serializer, changed so that it accepts a signature of any time."""
        if self._serializer is None and (serializer := super().get_signing_serializer(app)):
            serializer.signer = _Signer
            self._serializer = serializer
        return self._serializer


@lru_cache(maxsize=2048)
def _content(serializer: URLSafeTimedSerializer, signed: str) -> dict[str, Any]:
    """Return the content of a cookie; its signature is checked once for all requests with it.

    Raises `BadSignature` for a cookie that we did not sign; errors are not cached.
    """
    content: dict[str, Any] = serializer.loads(signed)
    return content
