"""Queue health and rq-dashboard."""

from flask import Blueprint

bp = Blueprint("admin_queues", __name__)
