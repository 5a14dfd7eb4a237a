"""A person's own page, and their sign of life."""

from typing import Any

from flask import Blueprint, render_template

from myukm.domain.chat import presence
from myukm.web.access import json_call, logged_in, me

bp = Blueprint("profile", __name__)


@bp.get("/profile")
@logged_in
def index() -> str:
    """Show one's own account."""
    return render_template("profile/index.html", user=me())


@bp.post("/presence")
@json_call
@logged_in
def active() -> Any:
    """Note that the person did something in a page; pages call it at most once a minute."""
    presence.active(me().id)
    return "", 204
