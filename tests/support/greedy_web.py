"""The web server with one more URL, `/take`, at which the process takes memory and keeps it."""

from tests.support.greedy_worker import TAKEN
from wsgi import app

kept = []


@app.get("/take")
def take() -> str:
    """Take memory and keep it."""
    kept.append(b"x" * TAKEN)
    return ""
