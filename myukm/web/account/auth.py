"""Log in, log out, choose a language."""

import re
from typing import Any

import msgspec
from flask import Blueprint, redirect, render_template, request, session, url_for
from flask_babel import format_decimal
from flask_babel import lazy_gettext as _
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from myukm.domain.accounts import accounts, login_limits
from myukm.domain.sync import run_history
from myukm.errors import DomainError, Invalid
from myukm.extensions import login_manager
from myukm.i18n import LANGUAGES
from myukm.logs import security_log
from myukm.models import LoginSession
from myukm.models.sync import Status
from myukm.web.http import device_cookie, errors
from myukm.web.http.access import TREASURERS, logged_in, today, wants_json
from myukm.web.http.answers import redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.limits import caller_address, limit_short_body
from myukm.web.http.notices import Link, add_notice

bp = Blueprint("auth", __name__)
bp.before_request(limit_short_body)


def load_login(token: str) -> LoginSession | None:
    """Return the log-in of the cookie's token, and name its account to the security log."""
    if login := accounts.find_session(token):
        security_log.set_actor(login.user_id)
    errors.outage.worked()  # the database has answered
    return login


login_manager.user_loader(load_login)
# The row of `LoginSession` alone decides whether a log-in is valid. Flask-Login would also compare
# the browser's address and User-Agent with those at the log-in.
login_manager.session_protection = None

# Browsers read // and /\ as the start of a host, and drop tabs and newlines.
PATH_ON_THIS_SITE = re.compile(r"/(?![/\\])[^\x00-\x1f\x7f]*")


class Credentials(msgspec.Struct):
    """The NIM and password of a log-in."""

    nim: str
    password: str


class Language(msgspec.Struct):
    """The language that pages are shown in."""

    lang: str


@bp.get("/")
def home() -> Response:
    """Redirect to the start page of the user's role."""
    if not current_user.is_authenticated:
        return redirect(url_for("auth.login"))
    places = {
        "admin": "admin_sync.index",
        "bendahara": "admin_sync.index",
        "operator": "admin_queues.index",
    }
    return redirect(url_for(places.get(current_user.role, "ukm.index")))


@bp.get("/login")
def login() -> Any:
    """Show the log-in form."""
    if current_user.is_authenticated:
        return redirect(safe_next())
    return render_template("auth/login.html", error=None, nim="")


@bp.post("/login")
@takes(Credentials)
def log_in(sent: Credentials) -> Any:
    """Log in: 303 to the start page (JSON: 200), 401, or 429 after too many failures."""
    caller = login_limits.Caller(caller_address(), device_cookie.marks())
    try:
        login_session = login_limits.log_in(sent.nim, sent.password, caller)
    except DomainError as error:
        return form_again("auth/login.html", error, nim=sent.nim)
    return start_session(login_session)


def start_session(login_session: LoginSession) -> Any:
    """Start a new cookie session for the log-in; redirect, or return the account as JSON."""
    chosen = session.get("lang")
    if current_user.is_authenticated:
        accounts.log_out(current_user.token_hash)  # the new log-in replaces its cookie
    session.clear()
    session.permanent = True
    session["day"] = today()  # see access.refresh_session_daily
    login_user(login_session)
    security_log.set_actor(login_session.user_id)
    security_log.record("login.succeeded")
    if chosen:
        session["lang"] = chosen
    user = login_session.user
    if user.role in TREASURERS:
        remind_of_failures(user.id)
    answer = redirect_or_json(safe_next(), accounts.as_json(user))
    return device_cookie.remember(answer, user)


def remind_of_failures(user_id: int) -> None:
    """Show on the next page that the newest run ended with failures, if this person started it."""
    run = run_history.failures_left(user_id)
    if run is None or wants_json():
        return
    values = {"run": run.id, "failed": format_decimal(run.failed)}
    text = _("Sinkronisasi #%(run)s yang Anda mulai berakhir dengan %(failed)s gagal.", **values)
    if run.status == Status.FAILED:
        text = _("Sinkronisasi #%(run)s yang Anda mulai tidak dapat dijalankan.", **values)
    address = url_for("admin_sync_runs.show", run_id=run.id)
    add_notice(text, link=Link(str(_("Lihat rinciannya")), address), tone="wait")


def form_again(template: str, error: DomainError, **typed: str) -> Any:
    """Render the form again with the error and the typed values; JSON callers get the error."""
    if wants_json():
        raise error
    return render_template(template, error=str(error), **typed), error.status, error.headers


@bp.post("/logout")
@logged_in
def log_out() -> Any:
    """Delete this device's log-in."""
    accounts.log_out(current_user.token_hash)
    logout_user()
    return redirect_or_json(url_for("auth.login"), {})


@bp.post("/language")
@takes(Language)
def language(sent: Language) -> Any:
    """Store the language in the session and redirect back."""
    if sent.lang not in LANGUAGES:
        raise Invalid(_("Bahasa ini belum ada."), code="bad_language")
    session["lang"] = sent.lang
    return redirect(safe_next(), 303)


def safe_next() -> str:
    """Return the path in `next` if it is on this site, else the start page."""
    target = request.values.get("next", "")
    return target if PATH_ON_THIS_SITE.fullmatch(target) else url_for("auth.home")
