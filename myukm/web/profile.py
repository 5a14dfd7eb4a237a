"""A person's own page: account, password, photo, data, farewell; and their sign of life."""

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

from myukm.domain.chat import presence
from myukm.domain.people import accounts, attacks, farewell, my_data, own_account
from myukm.domain.people.login_limits import guess_own
from myukm.errors import DomainError
from myukm.web import device_cookie
from myukm.web.access import json_call, logged_in, me, wants_json
from myukm.web.arguments import text_field
from myukm.web.limits import limit_auth_body

bp = Blueprint("profile", __name__)
bp.before_request(limit_auth_body)


@bp.get("/profile")
@logged_in
def index() -> Any:
    """Show one's own account."""
    return jsonify(accounts.as_json(me())) if wants_json() else page()


def page(**more: Any) -> str:
    """Return the page; `more` is why something was not done, by the part it stands in."""
    devices = accounts.count_sessions(me().id)
    return render_template("profile/index.html", user=me(), devices=devices, **more)


def refused(part: str, error: DomainError) -> Any:
    """Answer why not: in its part of the page, or as JSON."""
    if wants_json():
        raise error
    return page(problem={part: str(error)}), error.status, error.headers


@bp.post("/profile/password")
@logged_in
def password() -> Any:
    """Change one's own password; other devices are logged out, this one stays."""
    old, new = text_field("old"), text_field("new")
    try:
        with guess_own(me().id):
            own_account.change_password(me(), current_user.token_hash, old, new)
    except DomainError as error:
        return refused("password", error)
    done = url_for("profile.index", done="password")
    return device_cookie.remember(jsonify({}) if wants_json() else redirect(done, 303), me())


@bp.post("/profile/logout-everywhere")
@logged_in
def log_out_everywhere() -> Any:
    """End all log-ins of the account, this one too."""
    own_account.log_out_everywhere(me())
    logout_user()
    return jsonify({}) if wants_json() else redirect(url_for("auth.login"), 303)


@bp.post("/profile/attack-seen")
@logged_in
def attack_seen() -> Any:
    """Take the news away that somebody tried to guess the password: its owner knows."""
    attacks.acknowledge(me().id)
    return jsonify({}) if wants_json() else redirect(url_for("profile.index"), 303)


@bp.get("/profile/data")
@logged_in
def data() -> Response:
    """Hand out everything that is known of the person, as a JSON file."""
    headers = {"Content-Disposition": 'attachment; filename="myukm-data.json"'}
    pieces = stream_with_context(my_data.export(me().id))
    return Response(pieces, mimetype="application/json", headers=headers)


@bp.post("/profile/delete")
@logged_in
def delete() -> Any:
    """Delete the account; its messages stay, without its name."""
    password = text_field("password")
    try:
        with guess_own(me().id):
            farewell.delete_account(me(), password)
    except DomainError as error:
        return refused("delete", error)
    logout_user()
    return jsonify({}) if wants_json() else redirect(url_for("auth.login", deleted=1), 303)


@bp.post("/presence")
@json_call
@logged_in
def active() -> Any:
    """Note that the person did something in a page; pages call it at most once a minute."""
    presence.active(me().id)
    return "", 204
