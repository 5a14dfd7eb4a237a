"""Answers that a form and a JSON call get from the same view."""

from typing import Any

from flask import jsonify, redirect

from myukm.domain.paging import Page
from myukm.web.http.access import wants_json


def redirect_or_json(page: str, answer: Any = None) -> Any:
    """Redirect a form to `page`; JSON callers get `answer`, or 204 if it is None."""
    if not wants_json():
        return redirect(page, 303)
    return ("", 204) if answer is None else jsonify(answer)


def page_numbers(page: Page[Any]) -> dict[str, int]:
    """Return the paging fields of a JSON answer."""
    return {"page": page.page, "pages": page.pages, "total": page.total}
