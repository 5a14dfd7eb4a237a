"""Cross-site checks of every request, and security headers of every response."""

from flask import Flask, Response, current_app, request
from flask_babel import lazy_gettext as _

from myukm import addresses
from myukm.errors import Forbidden
from myukm.models import LoginSession
from myukm.web.http.session_cookie import SessionCookie

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# rq-dashboard's pages use inline scripts and eval.
DASHBOARD = "/admin/rq/"
DASHBOARD_POLICY = POLICY.replace(
    "script-src 'self'; style-src 'self'",
    "script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'",
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def init_app(app: Flask) -> None:
    """Register the cross-site check and the security headers."""
    app.session_interface = SessionCookie()
    app.permanent_session_lifetime = LoginSession.MAX_IDLE
    app.before_request(refuse_cross_site)
    app.after_request(send_headers)


def refuse_cross_site() -> None:
    """Raise `Forbidden` for an unsafe request from another site's page.

    Browsers name the origin of a request (Fetch Metadata, `Origin`). A script sends neither
    header and is allowed, because only browsers attach cookies on their own.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin")
    if site not in ("same-origin", "none") or (origin is not None and not is_ours(origin)):
        raise Forbidden(_("Permintaan ini datang dari situs lain."), code="cross_site")


def is_ours(sent: str) -> bool:
    """Return whether an `Origin` header names this site."""
    origin = addresses.origin(sent)
    if public := current_app.config["PUBLIC_URL"]:
        return bool(origin == public)
    scheme = sent.partition("://")[0]
    return origin is not None and origin == addresses.origin(f"{scheme}://{request.host}")


def send_headers(response: Response) -> Response:
    """Set the security headers that the view did not set itself."""
    in_dashboard = request.path.startswith(DASHBOARD)
    headers = HEADERS | {"Content-Security-Policy": DASHBOARD_POLICY if in_dashboard else POLICY}
    if current_app.config["SESSION_COOKIE_SECURE"]:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    own = {name.title() for name, _value in response.headers}
    response.headers.extend([each for each in headers.items() if each[0] not in own])
    return response
