"""Permissions of a UKM's pages, and helpers for their responses."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import g, redirect

from myukm.domain.actor import Actor
from myukm.domain.chat import unsettled_reports
from myukm.domain.ukm import authorization, memberships, open_requests
from myukm.errors import DomainError
from myukm.models import Ukm
from myukm.web.http.access import ADMINS, current_account, logged_in, roles, wants_json
from myukm.web.http.body import BadBody
from myukm.web.http.notices import add_notice

View = TypeVar("View", bound=Callable[..., Any])


def for_campus() -> bool:
    """Return whether the request is for the campus admins' version of the page."""
    return bool(g.get("for_campus"))


def member(view: View) -> View:
    """Require a log-in; the view itself checks the membership. A wrong body is reported only to
    members, because for others the UKM does not exist."""

    @wraps(view)
    def hidden(code: str, **kwargs: Any) -> Any:
        try:
            return view(code, **kwargs)
        except BadBody:
            readable(code)
            raise

    return cast(View, logged_in(hidden))


def member_or_admin(view: View) -> View:
    """Require a log-in, and for the campus admins' version of the page a campus admin."""
    for_members, for_admins = member(view), roles(*ADMINS)(view)

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return (for_admins if for_campus() else for_members)(*args, **kwargs)

    return cast(View, guarded)


def current_actor() -> Actor:
    """Return the actor. Only for views behind `member_or_admin`."""
    return Actor.of(current_account())._replace(campus=for_campus())


def readable(code: str) -> tuple[Ukm, bool]:
    """Return the UKM and whether the user manages it. Raises `NotFound`."""
    if for_campus():
        return authorization.authorize_manager(current_actor(), code), True
    membership = memberships.get_membership(current_account().id, code)
    return membership.ukm, membership.is_admin


def base_url(code: str) -> str:
    """Return the path below which this request's version of the UKM's pages is."""
    return f"/admin/ukm/{code}" if for_campus() else f"/ukm/{code}"


def redirect_with_error(error: DomainError, page: str, *codes: str) -> Any:
    """Redirect to a page that shows the current state, with the error as a notice.

    If two people decide at the same time, the second one sees why nothing happened. For JSON
    callers, and if `codes` are given without the error's code, the error is raised again.
    """
    if wants_json() or (codes and error.code not in codes):
        raise error
    add_notice(error, tone="wait")
    return redirect(page, 303)


def page_context(ukm: Ukm, *, is_manager: bool) -> dict[str, Any]:
    """Return the variables of the header that all pages of a UKM share."""
    return {
        "ukm": ukm,
        "base": base_url(ukm.code),
        "is_manager": is_manager,
        "campus": for_campus(),
        "open_requests": open_requests.count(ukm.id) if is_manager else 0,
        "open_reports": unsettled_reports.count(ukm.id) if is_manager else 0,
    }
