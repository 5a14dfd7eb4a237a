"""A UKM's chat: its page, its messages, typing and presence."""

from flask import Blueprint

bp = Blueprint("chat", __name__)
