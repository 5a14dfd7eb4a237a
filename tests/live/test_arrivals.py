"""Streams that arrive together are opened by the same few queries."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, insert, select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.errors import TooFast
from myukm.extensions import db
from myukm.live import batcher, event_log
from myukm.models import LoginSession
from myukm.web import stream
from myukm.web.arrivals import Arrival, Opened, Refusal, open_streams
from tests.support.people import UKM

TOPIC = f"ukm:{UKM}"
People = dict[str, int]
OpenAll = Callable[[Sequence[Arrival]], list[Opened | Refusal]]


@contextmanager
def statements_of_this_thread() -> Iterator[list[str]]:
    """Yield the list of statements that this thread executes in the block.

    The hub's threads execute others meanwhile.
    """
    seen: list[str] = []
    here = threading.get_ident()

    def collect(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        if threading.get_ident() == here:
            seen.append(sql)

    event.listen(db.engine, "before_cursor_execute", collect)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", collect)


def arrivals(user_id: int, *cursors: str | None) -> list[Arrival]:
    """Return one arrival per cursor, each with a log-in of its own to the same account."""
    logins = [LoginSession.digest(f"{user_id} {n}") for n in range(len(cursors))]
    with transaction() as session:
        rows = [{"token_hash": login, "user_id": user_id} for login in logins]
        session.execute(insert(LoginSession), rows)
    return [
        Arrival(login, None, None, cursor, used_today=True)
        for login, cursor in zip(logins, cursors, strict=True)
    ]


@pytest.fixture
def open_all(app: Flask) -> Iterator[OpenAll]:
    """A function that opens the streams of several arrivals at once."""
    hub = app.extensions["live_hub"]
    yield lambda arriving: open_streams(hub, hub.snapshots, arriving)
    hub.close()


def append(*texts: str) -> None:
    for text in texts:
        with transaction():
            event_log.append(TOPIC, "chat.message", {"message": text})


def test_nine_streams_are_opened_by_as_few_statements_as_one(
    app: Flask, people: People, open_all: OpenAll
) -> None:
    with app.app_context():
        append("satu", "dua")
        open_all(arrivals(people["outsider"], "0"))  # starts the hub
        counted = []
        for who, cursors in (("member", ["0"]), ("friend", ["0"] * 5 + ["1"] * 4)):
            arriving = arrivals(people[who], *cursors)
            with statements_of_this_thread() as seen:
                opened = open_all(arriving)
            counted.append(len([sql for sql in seen if not sql.startswith(("BEGIN", "PRAGMA"))]))
    assert all(isinstance(each, Opened) for each in opened)
    one, nine = counted
    assert nine <= one <= 10


def test_each_stream_gets_exactly_the_events_it_missed(
    app: Flask, people: People, open_all: OpenAll
) -> None:
    with app.app_context():
        append("satu", "dua", "tiga")
        opened = open_all(arrivals(people["member"], "0", "2", "3", "4", "x", None))
        missed = [each.missed for each in opened if isinstance(each, Opened)]
        append("empat")  # the hub has not read event 4 when a stream arrives with that cursor
        [ahead] = open_all(arrivals(people["friend"], "4"))
    counts = [None if each is None else each.count(b"event: chat.message") for each in missed]
    assert counts == [3, 1, 0, None, None, 0]
    assert isinstance(ahead, Opened)
    assert (ahead.missed, ahead.subscriber.cursor) == (b"", 4)


def test_only_streams_of_the_topic_me_begin_with_unread_counts(
    app: Flask, people: People, open_all: OpenAll
) -> None:
    with app.app_context():
        arriving = arrivals(people["member"], None, None, None)
        wanted = [None, frozenset({"me"}), frozenset({TOPIC})]
        arriving = [
            each._replace(topics=topics) for each, topics in zip(arriving, wanted, strict=True)
        ]
        opened = open_all(arriving)
    first = [each.state for each in opened if isinstance(each, Opened)]
    assert [b"event: unread" in now for now in first] == [True, True, False]


def test_streams_that_arrive_together_count_against_one_limit_per_account(
    app: Flask, people: People, open_all: OpenAll
) -> None:
    with app.app_context():
        outcomes = open_all(arrivals(people["member"], *[None] * 12))
    assert [isinstance(each, Opened) for each in outcomes] == [True] * 10 + [False] * 2
    assert isinstance(outcomes[-1], TooFast)


def test_a_stream_does_not_renew_an_expired_log_in(
    app: Flask, people: People, open_all: OpenAll
) -> None:
    with app.app_context():
        arriving = [
            each._replace(used_today=False) for each in arrivals(people["member"], None, None)
        ]
        past = utcnow() - LoginSession.MAX_IDLE - timedelta(days=1)
        with transaction() as session:
            session.execute(update(LoginSession).values(seen_at=past))
        assert open_all(arriving) == [None, None]
        with transaction() as session:
            session.execute(
                update(LoginSession)
                .where(LoginSession.token_hash == arriving[0].login)
                .values(seen_at=utcnow() - timedelta(days=2))
            )
        used, ended = open_all(arriving)
        assert isinstance(used, Opened)
        assert ended is None
        seen = db.session.scalar(
            select(LoginSession.seen_at).where(LoginSession.token_hash == arriving[0].login)
        )
    assert seen is not None
    assert utcnow() - seen < timedelta(minutes=1)


def test_only_the_first_stream_of_a_day_sets_the_cookie(
    client_as: Callable[[str], FlaskClient],
) -> None:
    """A response that arrives late would bring back the cookie of an earlier log-in."""
    client = client_as("member")
    with client.session_transaction() as cookie:
        cookie["day"] = "2020-01-01"
    answers = []
    for _ in range(2):
        with client.get("/stream") as answer:
            answers.append("Set-Cookie" in answer.headers)
    assert answers == [True, False]


def test_a_stream_that_waits_too_long_answers_503(
    app: Flask, client_as: Callable[[str], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(batcher, "GATHER_SECONDS", 1)
    answer = client_as("member").get("/stream")
    assert answer.status_code == 503
    assert 1 <= int(answer.headers["Retry-After"]) <= 10
