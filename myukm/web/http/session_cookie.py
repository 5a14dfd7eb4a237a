"""The session cookie: browsers send one to every port of a host, so its name has the port."""

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature

from myukm import addresses


class SessionCookie(SecureCookieSessionInterface):
    """`myukm`, or `myukm_8443` if that is the port which users see.

    Otherwise two instances on one host would end each other's log-ins. The name without a port is
    read as well, for log-ins from before.
    """

    def get_cookie_name(self, app: Flask) -> str:
        """Return the name for the address of this request."""
        address = app.config["PUBLIC_URL"] or f"http://{request.host}"
        port = addresses.port(address)
        return (
            f"{app.config['SESSION_COOKIE_NAME']}_{port}" if port else super().get_cookie_name(app)
        )

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session of the cookie with the port, else of the one without."""
        session = super().open_session(app, request)
        older = request.cookies.get(super().get_cookie_name(app))
        serializer = self.get_signing_serializer(app)
        if session or not older or not serializer:
            return session
        age = int(app.permanent_session_lifetime.total_seconds())
        try:
            return self.session_class(serializer.loads(older, max_age=age))
        except BadSignature:
            return session
