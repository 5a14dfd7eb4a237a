"""Search in messages, as a page and as JSON: in one UKM, or in all UKMs of the user."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from markupsafe import Markup

from myukm.domain.chat import history, search
from myukm.domain.chat.search_query import Wanted, parse
from myukm.domain.chat.snippets import snippet
from myukm.domain.ukm import memberships
from myukm.errors import Invalid
from myukm.live import event_log
from myukm.models import ChatMessage
from myukm.web.http.access import current_account, json_unless_page, logged_in, wants_json
from myukm.web.http.request_parsing import whole_number

bp = Blueprint("ukm_search", __name__, url_prefix="/ukm")


@bp.get("/search")
@json_unless_page
@logged_in
def of_all_mine() -> Any:
    """Search in all UKMs of the user."""
    return _answer(None)


@bp.get("/<code>/search")
@json_unless_page
@logged_in
def in_ukm(code: str) -> Any:
    """Search in one UKM."""
    return _answer(code)


def _answer(code: str | None) -> Any:
    """Return the messages that `q` looks for, before the id `before`.

    The cursor is read before the messages, so the page misses no change of a message.
    """
    cursor = event_log.latest_seq()
    q, before = request.args.get("q", ""), whole_number("before")
    if not q and not wants_json():
        return _page(code, q)
    try:
        wanted = parse(q)
    except Invalid as error:
        if code is not None:
            memberships.get_membership(current_account().id, code)
        if wants_json():
            raise
        return _page(code, q, problem=error.message), error.status
    found = search.find(current_account().id, wanted, before, code)
    if wants_json():
        return jsonify({"messages": _objects(found.messages, wanted), "next": found.next})
    entries = [(message, snippet(message.body, wanted)) for message in found.messages]
    places = {"next_before": found.next, "before": before, "cursor": cursor}
    return _page(code, q, entries=entries, **places)


def _objects(found: Sequence[ChatMessage], wanted: Wanted) -> list[dict[str, Any]]:
    """Return the message objects with their snippets."""
    shown = history.as_seen(found, current_account().id)
    snippets = (str(snippet(message.body, wanted)) for message in found)
    return [{**one, "snippet": text} for one, text in zip(shown, snippets, strict=True)]


def _page(
    code: str | None,
    q: str,
    *,
    entries: Sequence[tuple[ChatMessage, Markup]] | None = None,
    problem: Any = "",
    **places: int | None,
) -> str:
    """Render the page: `entries` are the results, None without a valid query.

    `places` are `next_before` and `before`, where the next page and this one begin, and `cursor`.
    """
    ukm = None if code is None else memberships.get_membership(current_account().id, code).ukm
    return render_template(
        "ukm/search.html",
        ukm=ukm,
        q=q,
        entries=entries,
        problem=problem,
        **places,
    )
