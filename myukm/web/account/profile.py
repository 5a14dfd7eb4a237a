"""The profile page: account, password, data export, deletion; calls that report presence."""

from collections.abc import Mapping
from typing import Any

import msgspec
from flask import (
    Blueprint,
    Response,
    jsonify,
    render_template,
    stream_with_context,
    url_for,
)
from flask_login import current_user, logout_user

from myukm.domain import account_deletion
from myukm.domain.accounts import accounts, attacks, data_export, file_export, self_service
from myukm.domain.accounts.login_limits import limit_own_guesses
from myukm.domain.files import quotas
from myukm.domain.presence import tracker, viewing
from myukm.errors import DomainError
from myukm.rate_limiting.local_log import Limit
from myukm.web.http import device_cookie
from myukm.web.http.access import current_account, json_view, logged_in, wants_json
from myukm.web.http.answers import redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.limits import limit_short_body, limited

EXPORTS = Limit("data-export", 10, 3600)

bp = Blueprint("profile", __name__)
bp.before_request(limit_short_body)


class PasswordChange(msgspec.Struct):
    """The current password and the new one."""

    old: str
    new: str


class OwnPassword(msgspec.Struct):
    """The user's password, as proof of identity."""

    password: str


@bp.get("/profile")
@logged_in
def index() -> Any:
    """Show the user's own account."""
    return jsonify(accounts.as_json(current_account())) if wants_json() else page()


def page(problem: Mapping[str, str] | None = None) -> str:
    """Render the page. `problem` maps a part of the page to the text of its error."""
    me = current_account()
    shown = {"devices": accounts.count_sessions(me.id), "files": quotas.of_person(me.id)}
    return render_template("profile/index.html", user=me, problem=problem, **shown)


def render_error(part: str, error: DomainError) -> Any:
    """Render the error in its part of the page, or return it as JSON."""
    if wants_json():
        raise error
    return page({part: str(error)}), error.status, error.headers


@bp.post("/profile/password")
@logged_in
@takes(PasswordChange)
def password(sent: PasswordChange) -> Any:
    """Change the user's own password; all other devices are logged out."""
    me, this_device = current_account(), current_user.token_hash
    try:
        with limit_own_guesses(me.id):
            self_service.change_password(me, this_device, sent.old, sent.new)
    except DomainError as error:
        return render_error("password", error)
    answer = redirect_or_json(url_for("profile.index", done="password"), {})
    return device_cookie.remember(answer, current_account())


@bp.post("/profile/logout-everywhere")
@logged_in
def log_out_everywhere() -> Any:
    """Delete all log-ins of the account, including this one."""
    self_service.log_out_everywhere(current_account())
    logout_user()
    return redirect_or_json(url_for("auth.login"), {})


@bp.post("/profile/attack-seen")
@logged_in
def attack_seen() -> Any:
    """Dismiss the notice about password guessing."""
    attacks.acknowledge(current_account().id)
    return redirect_or_json(url_for("profile.index"), {})


@bp.get("/profile/data")
@logged_in
@limited(EXPORTS)
def data() -> Response:
    """Return everything stored about the user: as JSON, or as ZIP with the user's files."""
    me = current_account().id
    zipped = file_export.has_files(me)
    kind = "zip" if zipped else "json"
    headers = {"Content-Disposition": f'attachment; filename="{data_export.NAME}.{kind}"'}
    pieces = stream_with_context((data_export.archive if zipped else data_export.export)(me))
    return Response(pieces, mimetype=f"application/{kind}", headers=headers)


@bp.post("/profile/delete")
@logged_in
@takes(OwnPassword)
def delete(sent: OwnPassword) -> Any:
    """Delete the account; its messages stay, anonymized."""
    try:
        with limit_own_guesses(current_account().id):
            account_deletion.delete_account(current_account(), sent.password)
    except DomainError as error:
        return render_error("delete", error)
    logout_user()
    return redirect_or_json(url_for("auth.login", deleted=1), {})


@bp.post("/presence")
@json_view
@logged_in
def active() -> Any:
    """Record that the user is active, for the presence. Pages call it at most once a minute."""
    tracker.record_activity(current_account().id, this_browser())
    return "", 204


@bp.post("/presence/hidden")
@json_view
@logged_in
def hidden() -> Any:
    """Record that no page of this browser is visible any more, so that push notifications come."""
    viewing.end(current_account().id, this_browser())
    return "", 204


def this_browser() -> str:
    """Return the id of this browser in presence: the beginning of its log-in's `token_hash`."""
    return str(current_user.token_hash)[:16]
