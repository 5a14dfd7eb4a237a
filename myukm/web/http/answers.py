"""Answers of views that serve both forms and JSON calls."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import jsonify, make_response, redirect
from werkzeug.wrappers import Response

from myukm.domain.paging import Page
from myukm.web.http.access import wants_json
from myukm.web.http.notices import Undo, add_notice


def redirect_or_json(
    page: str,
    answer: Any = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] = MappingProxyType({}),
    prefer_json: bool = False,
    notice: Any = None,
    undo: Undo | None = None,
) -> Response:
    """Redirect a form to `page`, which shows `notice` and a button for `undo`.

    JSON callers (see `wants_json` for `prefer_json`) get `answer` with `status` and `headers`, or
    204 if it is None.
    """
    if wants_json(prefer_json=prefer_json):
        return (
            make_response("", 204)
            if answer is None
            else make_response(jsonify(answer), status, headers)
        )
    if notice:
        add_notice(notice, undo)
    return redirect(page, 303)


def page_numbers(page: Page[Any]) -> dict[str, int]:
    """Return the paging fields of a JSON answer."""
    return {"page": page.page, "pages": page.pages, "total": page.total}
