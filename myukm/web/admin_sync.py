"""The payment sync: its page, its JSON, its actions."""

from flask import Blueprint

bp = Blueprint("admin_sync", __name__)
