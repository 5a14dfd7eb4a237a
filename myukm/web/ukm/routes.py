"""Registers a UKM's pages at two URLs.

Below `/ukm/<code>` for its members and admins, below `/admin/ukm/<code>` for campus admins, who
need not be members. `g.for_campus` says which of the two was called; the domain checks each
permission.
"""

from flask import Blueprint, g

from myukm.web.ukm import links, members, readers, reports, requests, settings

BLUEPRINTS = (members, settings, links, readers, requests, reports)


def mount(parent: Blueprint, *, for_campus: bool) -> None:
    """Register the pages below `parent`; `for_campus`: they are the campus admins' version."""
    pages = Blueprint("pages", __name__, url_prefix="/<code>")

    @pages.before_request
    def choose_version() -> None:
        g.for_campus = for_campus

    for part in BLUEPRINTS:
        pages.register_blueprint(part.bp)
    parent.register_blueprint(pages)
