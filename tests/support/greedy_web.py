"""The web server with one more address, at which a process takes memory and keeps it."""

from tests.support.greedy_worker import TAKEN
from wsgi import app

kept = []


@app.get("/take")
def take() -> str:
    """Take memory."""
    kept.append(b"x" * TAKEN)
    return ""
