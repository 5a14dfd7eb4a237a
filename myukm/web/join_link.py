"""The page of a UKM's join link: it shows the UKM and a button that joins it."""

from typing import Any

from flask import Blueprint, redirect, render_template, url_for

from myukm.domain.ukm import links, memberships
from myukm.errors import Conflict, NotFound
from myukm.rate_limiting.limiter import attempt
from myukm.rate_limiting.local_log import Limit, claim
from myukm.web.http.access import current_account, logged_in, wants_json
from myukm.web.http.answers import redirect_or_json
from myukm.web.http.request_parsing import limit_body

bp = Blueprint("join_link", __name__, url_prefix="/gabung/<token>")
bp.before_request(limit_body)
WRONG_LINKS = Limit("join-link", 20, 3600)


@bp.get("")
@logged_in
def show(token: str) -> Any:
    """Ask whether to join; redirect members to the chat. Only the button joins, because previews
    and scanners also follow the link."""
    account = current_account()
    with attempt(claim(WRONG_LINKS, str(account.id)), wrong=NotFound):
        ukm = links.find(token)
    if memberships.is_member(account.id, ukm.id):
        return redirect(url_for("chat.room", code=ukm.code))
    return render_template("ukm/join.html", ukm=ukm)


@bp.post("")
@logged_in
def join(token: str) -> Any:
    """Join; JSON callers get 200 and the UKM."""
    account = current_account()
    try:
        with attempt(claim(WRONG_LINKS, str(account.id)), wrong=NotFound):
            ukm = links.join(account.id, token)
    except Conflict:
        if wants_json():
            raise
        ukm = links.find(token)  # the button was pressed twice, and the first press joined
    return redirect_or_json(
        url_for("chat.room", code=ukm.code), {"code": ukm.code, "name": ukm.name}
    )
