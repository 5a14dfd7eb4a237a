"""In whose name a UKM's page is opened, and how its calls answer."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import jsonify, redirect, request

from myukm.domain.chat import reports, ukm, ukm_desk
from myukm.domain.chat.ukm_desk import Officer
from myukm.domain.paging import Page
from myukm.models import Ukm
from myukm.web.access import ADMINS, logged_in, me, roles, wants_json
from myukm.web.arguments import json_object

View = TypeVar("View", bound=Callable[..., Any])
CAMPUS = "/admin/"


def for_campus() -> bool:
    """Return whether the address is the one for admins of the campus."""
    return request.path.startswith(CAMPUS)


def readers(view: View) -> View:
    """Let who is logged in call a view; below /admin only admins of the campus."""
    for_members, for_admins = logged_in(view), roles(*ADMINS)(view)

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return (for_admins if for_campus() else for_members)(*args, **kwargs)

    return cast(View, guarded)


def officer() -> Officer:
    """Return who acts; call it behind `readers` only."""
    return Officer(me().id, me().name, campus=for_campus())


def readable(code: str) -> tuple[Ukm, bool]:
    """Return the UKM and whether the reader is one of its officers. Raises `NotFound`."""
    if for_campus():
        return ukm_desk.visit(officer(), code), True
    place = ukm.membership(me().id, code)
    return place.ukm, place.is_admin


def base(code: str) -> str:
    """Return where the UKM's pages stand for this reader."""
    return f"/admin/ukm/{code}" if for_campus() else f"/ukm/{code}"


def frame(unit: Ukm, *, is_officer: bool) -> dict[str, Any]:
    """Return what the head of each of a UKM's pages shows."""
    return {
        "ukm": unit,
        "base": base(unit.code),
        "is_officer": is_officer,
        "campus": for_campus(),
        "open_reports": reports.count_waiting(unit.id) if is_officer else 0,
    }


def done(page: str, answer: Any = None) -> Any:
    """Lead a form on to `page`; a script gets the answer, or 204 when there is none."""
    if not wants_json():
        return redirect(page, 303)
    return ("", 204) if answer is None else jsonify(answer)


def ticked(name: str) -> bool:
    """Return whether a JSON boolean is true, or a form's box ticked."""
    value = json_object().get(name)
    return value is True if request.is_json else value == "1"


def numbers(page: Page[Any]) -> dict[str, int]:
    """Return where a page stands in its list."""
    return {"page": page.page, "pages": page.pages, "total": page.total}
