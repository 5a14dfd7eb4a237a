"""The UKMs of a person: list, join, leave."""

from flask import Blueprint

bp = Blueprint("ukm", __name__)
