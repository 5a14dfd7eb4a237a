"""A UKM's own pages, in two places.

Below `/ukm/<code>` for its members and its admins, below `/admin/ukm/<code>` for admins of the
campus, who need not belong to it. What each may do, the domain decides.
"""

from flask import Blueprint

from myukm.web.ukm import members, reports, settings

BLUEPRINTS = (members, settings, reports)


def mount(parent: Blueprint) -> None:
    """Put the pages below `parent`."""
    for part in BLUEPRINTS:
        parent.register_blueprint(part.bp, url_prefix="/<code>")
