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
from myukm.domain.people import accounts, farewell, my_data, own_account
from myukm.errors import DomainError
from myukm.extensions import limiter
from myukm.web.access import json_call, logged_in, me, wants_json
from myukm.web.arguments import limit_body, text_field
from myukm.web.auth import account_key

bp = Blueprint("profile", __name__)
bp.before_request(limit_body)

# Whoever sits down at somebody else's open page must not guess the password there.
guarded = limiter.shared_limit(
    "10 per minute",
    scope="own-password",
    key_func=account_key,
    deduct_when=lambda response: response.status_code == 403,
)


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
    return page(problem={part: str(error)}), error.status


@bp.post("/profile/password")
@guarded
@logged_in
def password() -> Any:
    """Change one's own password; other devices are logged out, this one stays."""
    try:
        login = current_user.token_hash
        own_account.change_password(me(), login, text_field("old"), text_field("new"))
    except DomainError as error:
        return refused("password", error)
    return jsonify({}) if wants_json() else redirect(url_for("profile.index", done="password"), 303)


@bp.post("/profile/logout-everywhere")
@logged_in
def log_out_everywhere() -> Any:
    """End all log-ins of the account, this one too."""
    own_account.log_out_everywhere(me())
    logout_user()
    return jsonify({}) if wants_json() else redirect(url_for("auth.login"), 303)


@bp.get("/profile/data")
@logged_in
def data() -> Response:
    """Hand out everything that is known of the person, as a JSON file."""
    headers = {"Content-Disposition": 'attachment; filename="myukm-data.json"'}
    pieces = stream_with_context(my_data.export(me().id))
    return Response(pieces, mimetype="application/json", headers=headers)


@bp.post("/profile/delete")
@guarded
@logged_in
def delete() -> Any:
    """Delete the account; its messages stay, without its name."""
    try:
        farewell.delete_account(me(), text_field("password"))
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
