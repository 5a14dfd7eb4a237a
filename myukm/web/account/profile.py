"""The profile page: account, password, photo, data export, deletion; and activity reports."""

from typing import Any

from flask import (
    Blueprint,
    Response,
    jsonify,
    redirect,
    render_template,
    stream_with_context,
    url_for,
)
from flask_login import current_user, logout_user

from myukm.domain import account_deletion
from myukm.domain.accounts import accounts, attacks, data_export, self_service
from myukm.domain.accounts.login_limits import guess_own
from myukm.domain.presence import tracker
from myukm.errors import DomainError
from myukm.web.http import device_cookie
from myukm.web.http.access import current_account, json_view, logged_in, wants_json
from myukm.web.http.limits import limit_auth_body
from myukm.web.http.request_parsing import text_field

bp = Blueprint("profile", __name__)
bp.before_request(limit_auth_body)


@bp.get("/profile")
@logged_in
def index() -> Any:
    """Show the user's own account."""
    return jsonify(accounts.as_json(current_account())) if wants_json() else page()


def page(**more: Any) -> str:
    """Render the page; `more` holds an error for each part of the page that has one."""
    devices = accounts.count_sessions(current_account().id)
    return render_template("profile/index.html", user=current_account(), devices=devices, **more)


def render_error(part: str, error: DomainError) -> Any:
    """Render the error in its part of the page, or return it as JSON."""
    if wants_json():
        raise error
    return page(problem={part: str(error)}), error.status, error.headers


@bp.post("/profile/password")
@logged_in
def password() -> Any:
    """Change the user's own password; all other devices are logged out."""
    old, new = text_field("old"), text_field("new")
    try:
        with guess_own(current_account().id):
            self_service.change_password(current_account(), current_user.token_hash, old, new)
    except DomainError as error:
        return render_error("password", error)
    done = url_for("profile.index", done="password")
    return device_cookie.remember(
        jsonify({}) if wants_json() else redirect(done, 303), current_account()
    )


@bp.post("/profile/logout-everywhere")
@logged_in
def log_out_everywhere() -> Any:
    """Delete all log-ins of the account, including this one."""
    self_service.log_out_everywhere(current_account())
    logout_user()
    return jsonify({}) if wants_json() else redirect(url_for("auth.login"), 303)


@bp.post("/profile/attack-seen")
@logged_in
def attack_seen() -> Any:
    """Dismiss the notice about password guessing."""
    attacks.acknowledge(current_account().id)
    return jsonify({}) if wants_json() else redirect(url_for("profile.index"), 303)


@bp.get("/profile/data")
@logged_in
def data() -> Response:
    """Return everything stored about the user as a JSON file."""
    headers = {"Content-Disposition": 'attachment; filename="myukm-data.json"'}
    pieces = stream_with_context(data_export.export(current_account().id))
    return Response(pieces, mimetype="application/json", headers=headers)


@bp.post("/profile/delete")
@logged_in
def delete() -> Any:
    """Delete the account; its messages stay, anonymized."""
    password = text_field("password")
    try:
        with guess_own(current_account().id):
            account_deletion.delete_account(current_account(), password)
    except DomainError as error:
        return render_error("delete", error)
    logout_user()
    return jsonify({}) if wants_json() else redirect(url_for("auth.login", deleted=1), 303)


@bp.post("/presence")
@json_view
@logged_in
def active() -> Any:
    """Record user activity for the presence; pages call it at most once a minute."""
    tracker.record_activity(current_account().id)
    return "", 204
