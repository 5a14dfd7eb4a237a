"""A UKM's own pages, in two places.

Below `/ukm/<code>` for its members and its admins, below `/admin/ukm/<code>` for admins of the
campus, who need not belong to it. What each may do, the domain decides.
"""

from flask import Blueprint

from myukm.web import unit_desk, unit_members, unit_reports

PARTS = (unit_members, unit_desk, unit_reports)


def mount(parent: Blueprint) -> None:
    """Put the pages below `parent`."""
    for part in PARTS:
        parent.register_blueprint(part.bp, url_prefix="/<code>")
