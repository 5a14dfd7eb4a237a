"""Server time for a page of 50 out of 1,000,000 messages.

    python -m bench.chat_history [--messages 1000000] [--postgresql]

`GET /ukm/<code>/messages` and the chat page, requested in this process without network: the newest
page, one from the middle, the oldest, and messages after an id. One message in ten is a reply, one
in twenty has reactions.
"""

import argparse
import secrets
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import flask_migrate
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert

import config
from bench.arguments import positive_int
from bench.report import row, tail_row
from bench.tunggakan import response_ms
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.chat.reactions import EMOJI
from myukm.models import ChatMessage, ChatReaction, LoginSession, Membership, Ukm, User
from tests.support.postgresql import PostgreSQL

PEOPLE, BATCH_MESSAGES, REQUESTS = 200, 10_000, 60


def main() -> None:
    """Fill a database, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--messages", type=positive_int, default=1_000_000)
    parser.add_argument("--postgresql", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        valkey = stack.enter_context(start_valkey(folder / "valkey"))
        url = f"sqlite:///{folder}/bench.db"
        if options.postgresql:
            url = stack.enter_context(PostgreSQL(folder)).fresh_database()
        env = {"DATABASE_URL": url, "REDIS_URL": valkey.url, "SECRET_KEY": secrets.token_hex(32)}
        app = create_app(config.load(env))
        client = populate(app, options.messages)
        measure(client, options.messages)


def populate(app: Flask, count: int) -> FlaskClient:
    """Fill one UKM and return a logged-in client of one of its members."""
    with app.app_context():
        flask_migrate.upgrade()
        with transaction() as session:
            session.add(Ukm(id=1, code="BENCH", join_code="BENCH", name="Bench"))
            people = [
                {"id": n, "nim": f"b{n}", "name": f"Bench {n}", "role": "anggota"}
                for n in range(1, PEOPLE + 1)
            ]
            session.execute(insert(User), [{**person, "password_hash": "-"} for person in people])
            membership = {"ukm_id": 1, "read_number": count - 10}
            members = [{**membership, "user_id": person["id"]} for person in people]
            session.execute(insert(Membership), members)
            session.add(LoginSession(token_hash=LoginSession.digest("bench"), user_id=1))
            session.get_one(Ukm, 1).last_number = count
        for first in range(1, count + 1, BATCH_MESSAGES):
            with transaction() as session:
                ids = range(first, min(first + BATCH_MESSAGES, count + 1))
                session.execute(insert(ChatMessage), list(messages(ids)))
                session.execute(insert(ChatReaction), list(reactions(ids)))
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = "bench", True
    return client


def messages(ids: range) -> Iterator[dict[str, object]]:
    """Yield the rows of messages with these ids."""
    at = utcnow()
    for n in ids:
        yield {
            "id": n,
            "ukm_id": 1,
            "user_id": n % PEOPLE + 1,
            "client_id": str(n),
            "number": n,
            "body": f"pesan {n} " + "kata " * (n % 30),
            "reply_to_id": n - 7 if n % 10 == 0 and n > 7 else None,
            "created_at": at,
            "published_at": at,
        }


def reactions(ids: range) -> Iterator[dict[str, object]]:
    """Yield three reactions for every twentieth message."""
    for n in ids[::20]:
        for user_id in (1, 2, 3):
            yield {"message_id": n, "user_id": user_id, "emoji": EMOJI[n % len(EMOJI)]}


def measure(client: FlaskClient, count: int) -> None:
    """Print the time of each kind of page."""
    kinds: dict[str, Callable[[int], str]] = {
        "newest page": lambda _: "messages",
        "before, in the middle": lambda n: f"messages?before={count // 2 + n * 50}",
        "before, near the oldest": lambda n: f"messages?before={60 + n}",
        "after, in the middle": lambda n: f"messages?after={count // 2 - n * 50}",
        "the chat page": lambda _: "chat",
    }
    for name, address in kinds.items():
        times = [response_ms(client, f"/ukm/BENCH/{address(n)}") for n in range(REQUESTS)]
        row(f"{name}, median", statistics.median(times), "ms")
        tail_row(name, times, 95, "ms")


if __name__ == "__main__":
    main()
