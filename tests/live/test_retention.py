"""The event log stays within its limits, and a reader that missed pruned events gets a reset."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
import requests
from flask import Flask
from sqlalchemy import delete, func, insert, select, update

from devtools.reaper import descendants
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.extensions import db
from myukm.live import event_log, pubsub, retention
from myukm.live.event_log import Event, EventCounter
from myukm.web.first_events import Span, replay
from tests.conftest import every_database
from tests.support.programs import Program, WebServer
from tests.support.sse import StreamReader
from tests.support.waiting import wait_until
from tests.support.workers import WORKER

SessionAs = Callable[[str], requests.Session]


def fill(app: Flask, count: int, newest_at: datetime | None = None) -> None:
    """Fill the log with `count` events, half a minute apart."""
    newest_at = newest_at or utcnow()
    rows = [
        {
            "seq": seq,
            "topic": "ukm:ROBOTIK",
            "type": "chat.message",
            "data": f'{{"message":"pesan {seq}"}}',
            "at": newest_at - timedelta(seconds=30 * (count - seq)),
        }
        for seq in range(1, count + 1)
    ]
    with app.app_context(), transaction() as session:
        session.execute(insert(Event), rows)
        session.execute(update(EventCounter).values(value=count))


def log_range(app: Flask) -> Sequence[int | None]:
    """Return how many events the log has, and the first and last sequence number."""
    with app.app_context():
        figures = select(func.count(), func.min(Event.seq), func.max(Event.seq))
        return tuple(db.session.execute(figures).one())


def prune(app: Flask) -> None:
    """Prune until there is nothing left to do."""
    pruner = retention.Pruner()
    with app.app_context():
        while pruner.prune():
            pass


@every_database
def test_above_the_limit_the_oldest_events_are_deleted(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MAX_EVENTS", 700)
    fill(app, 3000)
    prune(app)
    assert log_range(app) == (700, 2301, 3000)
    with app.app_context():
        assert retention.size().events == 700
        with transaction():
            event_log.append("ukm:ROBOTIK", "chat.message", {"message": "baru"})
        assert event_log.latest_seq() == 3001, "the counter goes on"
    prune(app)
    assert log_range(app) == (700, 2302, 3001)


@every_database
def test_events_older_than_a_day_are_deleted(app: Flask) -> None:
    fill(app, 2000, newest_at=utcnow() - timedelta(days=1) + timedelta(seconds=30 * 499.5))
    prune(app)
    assert log_range(app) == (500, 1501, 2000)
    prune(app)
    assert log_range(app) == (500, 1501, 2000), "younger events stay"


def test_a_log_with_only_old_events_becomes_empty(app: Flask) -> None:
    fill(app, 1000, newest_at=utcnow() - timedelta(days=2))
    prune(app)
    assert log_range(app)[0] == 0
    with app.app_context():
        assert (event_log.oldest_seq(), event_log.latest_seq(), retention.size()) == (
            1001,
            1000,
            (0, None),
        )


def test_one_old_event_among_newer_ones_deletes_nothing(app: Flask) -> None:
    fill(app, 500)
    long_ago = utcnow() - timedelta(days=400)
    with app.app_context(), transaction() as session:
        session.execute(update(Event).where(Event.seq == 300).values(at=long_ago))
    prune(app)
    assert log_range(app) == (500, 1, 500)


@pytest.mark.parametrize(
    ("portion", "seconds", "next_portion"),
    [
        (1000, retention.PORTION_SECONDS, 1000),
        (4000, retention.PORTION_SECONDS * 2, 2000),
        (1000, 10, retention.MIN_PORTION),
        (1000, 0, 2000),
        (retention.MAX_PORTION, 0, retention.MAX_PORTION),
    ],
)
def test_the_size_of_a_portion_depends_on_the_duration_of_the_last_one(
    portion: int, seconds: float, next_portion: int
) -> None:
    assert retention.next_portion(portion, seconds) == next_portion


def test_events_can_be_appended_between_two_portions(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MAX_EVENTS", 0)
    for bound in ("MIN_PORTION", "MAX_PORTION"):
        monkeypatch.setattr(retention, bound, 100)
    fill(app, 20_000)
    written: list[int] = []
    ended = threading.Event()

    def keep_writing() -> None:
        while not ended.is_set():
            with app.app_context(), transaction():
                event_log.append("ukm:ROBOTIK", "chat.message", {"message": "sela"})
            with app.app_context():
                written.append(retention.size().events)

    writer = threading.Thread(target=keep_writing)
    writer.start()
    pruner = retention.Pruner()
    try:
        with app.app_context():
            while len(written) < 5 or written[-1] >= written[0]:
                assert pruner.prune(), "all events were deleted before the writer appended one"
    finally:
        ended.set()
        writer.join()


def test_the_leader_prunes(app: Flask, start: Callable[..., Program]) -> None:
    fill(app, 1500, newest_at=utcnow() - timedelta(days=2))
    with app.app_context(), transaction():
        event_log.append("ukm:ROBOTIK", "chat.message", {"message": "baru"})
    start(*WORKER)
    wait_until(lambda: log_range(app) == (1, 1501, 1501), 30, "the leader pruned")


def test_events_pruned_during_a_replay_lead_to_a_reset(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(app, 10)
    read = event_log.since

    def since_and_prune(*args: object, **kwargs: object) -> Sequence[event_log.LoggedEvent]:
        with transaction() as session:
            session.execute(delete(Event).where(Event.seq <= 7))
        return read(*args, **kwargs)  # type: ignore[arg-type]

    with app.app_context():
        early, late = (Span(after, 10, frozenset({"ukm:ROBOTIK"})) for after in (5, 7))
        assert all(replay([early, late]))
        monkeypatch.setattr(event_log, "since", since_and_prune)
        replayed, exact = replay([early, late])
    assert replayed is None
    assert exact


def test_a_hub_whose_next_event_was_pruned_ends_its_streams(
    app: Flask, web: WebServer, session_as: SessionAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(app, 10)
    reader = StreamReader(web.url, session_as("member"))
    processes = list(descendants(web.child.pid))
    with app.app_context(), transaction():  # so that no process is stopped during a write
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(pubsub, "publish", lambda entries: False)
    with app.app_context():
        for text in ("satu", "dua", "tiga"):
            with transaction():
                event_log.append("ukm:ROBOTIK", "chat.message", {"message": text})
        with transaction() as session:
            session.execute(delete(Event).where(Event.seq <= 12))
    for pid in processes:
        os.kill(pid, signal.SIGCONT)
    assert reader.ended.wait(30), "the hub ends the stream"
    assert not reader.of("chat.message")
    again = StreamReader(web.url, session_as("member"), params={"cursor": "10"})
    assert again.wait_for(1, "reset")
    again.close()
