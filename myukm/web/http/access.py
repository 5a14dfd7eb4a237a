"""Permission decorators of views, and the choice between JSON and HTML."""

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
from myukm.web.http import body
from myukm.web.http.security import SAFE

View = TypeVar("View", bound=Callable[..., Any])

VIEWERS = ("admin", "bendahara", "operator")
TREASURERS = ("admin", "bendahara")
OPERATORS = ("admin", "operator")
ADMINS = ("admin",)


class LoginRequired(DomainError):
    """The request has no valid log-in."""

    status = 401
    code = "login_required"


def json_view(view: View) -> View:
    """Mark a view whose answers and errors are JSON."""
    view.answers_json = True  # type: ignore[attr-defined]
    return view


def json_unless_page(view: View) -> View:
    """Mark a view that answers JSON unless `Accept` names `text/html`, as browsers do."""
    view.prefers_json = True  # type: ignore[attr-defined]
    return view


def wants_json(*, prefer_json: bool = False) -> bool:
    """Return whether to answer JSON: the view is marked, or the request sends or accepts JSON.

    A client that accepts anything gets a page, or JSON with `prefer_json`.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    kinds = ["text/html", "application/json"]
    if prefer_json or getattr(view, "prefers_json", False):
        kinds.reverse()
    best = request.accept_mimetypes.best_match(kinds, kinds[0])
    return getattr(view, "answers_json", False) or request.is_json or best == "application/json"


def current_account() -> User:
    """Return the account that is logged in. Only for views behind `logged_in` or `roles`."""
    return cast(LoginSession, current_user).user


def actor() -> Actor:
    """Return the actor for the activity log. Only for views behind `logged_in` or `roles`."""
    return Actor.of(current_account())


def logged_in(view: View) -> View:
    """Require a log-in; otherwise redirect to the log-in page, or 401 for JSON."""
    return roles()(view)


def roles(*allowed: str) -> Callable[[View], View]:
    """Require a log-in with one of these roles; without arguments, with any role.

    Without a log-in the answer is `login_required_response()`; for another role it is 403.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if not current_user.is_authenticated or is_for_other_account():
                return login_required_response()
            refresh_session_daily()
            if allowed and current_user.role not in allowed:
                raise Forbidden(_("Peran Anda tidak boleh membuka ini."))
            # A view without `body.takes` has no fields, so a JSON body with any is refused.
            if request.is_json and request.method not in SAFE and not hasattr(view, "takes"):
                body.read(body.NoFields)
            return view(*args, **kwargs)

        return cast(View, guarded)

    return decorate


def refresh_session_daily() -> None:
    """Refresh the cookie once a day, so that users who return within a month stay logged in.

    Not with every response, as Flask does by default: a late response would restore the cookie
    of an old log-in after the browser logged in as somebody else.
    """
    if session.get("day") != today():
        session["day"] = today()
        accounts.refresh_sessions([current_user.token_hash])


def today() -> str:
    """Return today's date in the form stored in the cookie."""
    return utcnow().date().isoformat()


def is_for_other_account() -> bool:
    """Return whether the calling page was rendered for another account than the current one.

    On a shared browser, a message that waits in a sleeping tab must not be sent in the next user's
    name. Our pages send their account's id in a header; scripts may omit it.
    """
    owner = request.headers.get("X-Account", request.args.get("account"))
    return owner not in (None, str(current_account().id)) and wants_json()


def login_required_response() -> Response:
    """Return a redirect to the log-in page, which redirects back here after the log-in.

    Raises `LoginRequired` (401) for JSON, and for any method but GET.
    """
    if wants_json() or request.method != "GET":
        raise LoginRequired(_("Silakan masuk dulu."))
    return redirect(url_for("auth.login", next=request.full_path.rstrip("?")))
