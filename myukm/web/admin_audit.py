"""Who did what, for admins."""

from flask import Blueprint

bp = Blueprint("admin_audit", __name__)
