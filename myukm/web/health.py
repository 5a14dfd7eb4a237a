"""Health and metrics for machines."""

from flask import Blueprint

bp = Blueprint("health", __name__)
