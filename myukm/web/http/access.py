"""Access control of views, and which views answer JSON."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import current_app, redirect, request, session, url_for
from flask_babel import lazy_gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from myukm.db.types import utcnow
from myukm.domain.accounts import accounts
from myukm.domain.actor import Actor
from myukm.errors import DomainError, Forbidden
from myukm.models import LoginSession, User

View = TypeVar("View", bound=Callable[..., Any])

VIEWERS = ("admin", "bendahara", "operator")
TREASURERS = ("admin", "bendahara")
OPERATORS = ("admin", "operator")
ADMINS = ("admin",)


class LoginRequired(DomainError):
    """Nobody is logged in."""

    status = 401
    code = "login_required"


def json_view(view: View) -> View:
    """Mark a view as one that answers JSON, errors too."""
    view.answers_json = True  # type: ignore[attr-defined]
    return view


def wants_json() -> bool:
    """Return whether the caller gets JSON: it sends it, asks for it, or called a JSON view."""
    view = current_app.view_functions.get(request.endpoint or "")
    best = request.accept_mimetypes.best_match(("text/html", "application/json"), "text/html")
    return getattr(view, "answers_json", False) or request.is_json or best == "application/json"


def current_account() -> User:
    """Return the account that is logged in; call it behind `logged_in` or `roles` only."""
    return cast(LoginSession, current_user).user


def actor() -> Actor:
    """Return who acts, for the trail; call it where `me` can be called."""
    return Actor(current_account().name, current_account().id)


def logged_in(view: View) -> View:
    """Let only a person who is logged in call `view`: others go to the log-in page, or get 401."""
    return roles()(view)


def roles(*allowed: str) -> Callable[[View], View]:
    """Let only these roles (all, when none is named) call the view; others get 403."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated or is_for_other_account():
                return login_required_response()
            refresh_session_daily()
            if allowed and current_user.role not in allowed:
                raise Forbidden(_("Peran Anda tidak boleh membuka ini."))
            return view(*args, **kwargs)

        return cast(View, guarded)

    return decorate


def refresh_session_daily() -> None:
    """Refresh the cookie once a day, so that users who return within a month stay logged in.

    Not with every answer, as Flask does unasked: one that is late would bring the cookie of a
    log-in back that the browser has left for another.
    """
    if session.get("day") != today():
        session["day"] = today()
        accounts.refresh_session(current_user.token_hash)


def today() -> str:
    """Return the date as the cookie carries it."""
    return utcnow().date().isoformat()


def is_for_other_account() -> bool:
    """Return whether a page calls that was made for another account than is logged in now.

    People share browsers: what one of them wrote in a tab that slept must not go out as the next
    one's. Our pages say whose they are; a script need not.
    """
    owner = request.headers.get("X-Account", request.args.get("account"))
    return owner not in (None, str(current_account().id)) and wants_json()


def login_required_response() -> Response:
    """Send a page's reader to the log-in page and back; a script gets 401."""
    if wants_json() or request.method != "GET":
        raise LoginRequired(_("Silakan masuk dulu."))
    return redirect(url_for("auth.login", next=request.full_path.rstrip("?")))
