"""Registers a UKM's pages at two URLs.

Below `/ukm/<code>` for its members and admins, below `/admin/ukm/<code>` for campus admins, who
need not be members. The domain checks each permission.
"""

from flask import Blueprint

from myukm.web.ukm import members, reports, settings

BLUEPRINTS = (members, settings, reports)


def mount(parent: Blueprint) -> None:
    """Register the blueprints below `parent`."""
    for part in BLUEPRINTS:
        parent.register_blueprint(part.bp, url_prefix="/<code>")
