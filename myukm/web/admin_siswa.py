"""Students, for the people who look after payments."""

from flask import Blueprint

bp = Blueprint("admin_siswa", __name__)
