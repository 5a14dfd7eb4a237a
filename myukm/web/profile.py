"""A person's own page."""

from flask import Blueprint

bp = Blueprint("profile", __name__)
