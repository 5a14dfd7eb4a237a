"""Access to a UKM's pages, and the form of their answers."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import jsonify, redirect, request

from myukm.domain.actor import Actor
from myukm.domain.chat import reports
from myukm.domain.paging import Page
from myukm.domain.ukm import authorization, memberships
from myukm.models import Ukm
from myukm.web.http.access import ADMINS, current_account, logged_in, roles, wants_json
from myukm.web.http.request_parsing import json_object

View = TypeVar("View", bound=Callable[..., Any])
CAMPUS = "/admin/"


def for_campus() -> bool:
    """Return whether the address is the one for admins of the campus."""
    return request.path.startswith(CAMPUS)


def member_or_admin(view: View) -> View:
    """Require a login for a view; below /admin an admin of the campus."""
    for_members, for_admins = logged_in(view), roles(*ADMINS)(view)

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return (for_admins if for_campus() else for_members)(*args, **kwargs)

    return cast(View, guarded)


def current_actor() -> Actor:
    """Return who acts; call it behind `member_or_admin` only."""
    return Actor(user_id=current_account().id, name=current_account().name, campus=for_campus())


def readable(code: str) -> tuple[Ukm, bool]:
    """Return the UKM and whether the reader is one of its officers. Raises `NotFound`."""
    if for_campus():
        return authorization.authorize_read(current_actor(), code), True
    membership = memberships.get_membership(current_account().id, code)
    return membership.ukm, membership.is_admin


def base_url(code: str) -> str:
    """Return where the UKM's pages stand for this reader."""
    return f"/admin/ukm/{code}" if for_campus() else f"/ukm/{code}"


def page_context(ukm: Ukm, *, is_manager: bool) -> dict[str, Any]:
    """Return what the head of each of a UKM's pages shows."""
    return {
        "ukm": ukm,
        "base": base_url(ukm.code),
        "is_officer": is_manager,
        "campus": for_campus(),
        "open_reports": reports.count_open(ukm.id) if is_manager else 0,
    }


def redirect_or_json(page: str, answer: Any = None) -> Any:
    """Lead a form on to `page`; a script gets the answer, or 204 when there is none."""
    if not wants_json():
        return redirect(page, 303)
    return ("", 204) if answer is None else jsonify(answer)


def bool_field(name: str) -> bool:
    """Return whether a JSON boolean is true, or a form's box ticked."""
    value = json_object().get(name)
    return value is True if request.is_json else value == "1"


def page_numbers(page: Page[Any]) -> dict[str, int]:
    """Return where a page stands in its list."""
    return {"page": page.page, "pages": page.pages, "total": page.total}
