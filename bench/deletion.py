"""Time to delete a chat message while the event log is small, and while it is large.

    python -m bench.deletion [--events 1000000] [--rounds 200] [--postgresql | --mariadb]

Two campuses with the same messages, one with 1,000 events in its log and one with many; the
rounds alternate between the two.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from flask import Flask

import config
from bench.arguments import positive_int
from bench.dispatch import add_database_options, database_settings
from bench.prune import fill
from bench.report import row, tail_row
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.chat import broadcast, messages
from myukm.domain.ukm import memberships
from myukm.extensions import db
from myukm.models import ChatMessage, User
from tests.support import people

SMALL_LOG_EVENTS = 1_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=positive_int, default=1_000_000)
    parser.add_argument("--rounds", type=positive_int, default=200)
    add_database_options(parser)
    options = parser.parse_args()
    if options.events <= SMALL_LOG_EVENTS:
        parser.error(f"--events: more than {SMALL_LOG_EVENTS}, the size of the log to compare with")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        valkey = stack.enter_context(start_valkey(folder / "valkey"))
        campuses = {}
        for count in (SMALL_LOG_EVENTS, options.events):
            env = stack.enter_context(database_settings(options)) | {"REDIS_URL": valkey.url}
            app = create_app(config.load(env))
            fill(app, count)
            campuses[count] = app, post(app, options.rounds)
        times: dict[int, list[tuple[float, float]]] = {count: [] for count in campuses}
        for number in range(options.rounds):
            for count, (app, ids) in campuses.items():
                times[count].append(delete(app, ids[number]))
        for count, measured in times.items():
            seconds, cpu = zip(*measured, strict=True)
            row(f"delete, {count:,} events, CPU median", statistics.median(cpu) * 1000, "ms")
            row(f"delete, {count:,} events, median", statistics.median(seconds) * 1000, "ms")
            tail_row(f"delete, {count:,} events", seconds, 99, "ms", scale=1000)


def post(app: Flask, count: int) -> list[int]:
    """Store and publish `count` messages; return their ids."""
    with app.app_context():
        member = db.session.query(User).filter_by(nim=people.NAMES["member"][0]).one()
        ukm = memberships.get_membership(member.id, people.UKM).ukm
        rows = [
            ChatMessage(
                ukm=ukm, user=member, client_id=str(n), number=n, body="halo", created_at=utcnow()
            )
            for n in range(1, count + 1)
        ]
        with transaction() as session:
            session.add_all(rows)
            ukm.last_number = count
        broadcast.publish(ukm.id)
        return [message.id for message in rows]


def delete(app: Flask, message_id: int) -> tuple[float, float]:
    """Delete a message as its UKM's page does; return wall-clock and CPU seconds of this thread."""
    with app.app_context():
        message = db.session.get_one(ChatMessage, message_id)
        began, cpu = time.perf_counter(), time.thread_time()
        with transaction():
            membership = memberships.get_membership(message.user_id, people.UKM, lock=True)
            messages.erase(db.session.get_one(ChatMessage, message_id))
            assert membership.ukm_id == message.ukm_id
        return time.perf_counter() - began, time.thread_time() - cpu


if __name__ == "__main__":
    main()
