"""UKMs, for admins."""

from flask import Blueprint

bp = Blueprint("admin_ukm", __name__)
