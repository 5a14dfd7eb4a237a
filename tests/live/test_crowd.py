"""Many streams that arrive together are opened by the same few queries."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
from myukm.live.batcher import Batcher
from myukm.live.event_log import LoggedEvent
from myukm.live.snapshots import Snapshots
from myukm.live.sse import encode
from myukm.models import LoginSession
from myukm.web import stream
from myukm.web.arrivals import Arrival, Opened, Refusal, open_streams
from tests.support.people import UKM
from tests.support.waiting import wait_until

TOPIC = f"ukm:{UKM}"
People = dict[str, int]
OpenAll = Callable[[Sequence[Arrival]], list[Opened | Refusal]]


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect the SQL of this thread."""
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
    """Return one arrival per cursor, each with its own log-in of the account."""
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
    """Open the streams of several arrivals at once."""
    hub = app.extensions["live_hub"]
    yield lambda arriving: open_streams(hub, hub.snapshots, arriving)
    hub.close()


def append(*words: str) -> None:
    for word in words:
        with transaction():
            event_log.append(TOPIC, "chat.message", {"message": word})


def test_nine_streams_need_as_many_statements_as_one(
    app: Flask, people: People, open_all: OpenAll
) -> None:
    with app.app_context():
        append("satu", "dua")
        open_all(arrivals(people["outsider"], "0"))  # the hub starts
        counted = []
        for who, cursors in (("member", ["0"]), ("friend", ["0"] * 5 + ["1"] * 4)):
            arriving = arrivals(people[who], *cursors)
            with statements() as seen:
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
        append("empat")  # the hub has not read it when a stream comes with its number
        [ahead] = open_all(arrivals(people["friend"], "4"))
    words = [None if each is None else each.count(b"event: chat.message") for each in missed]
    assert words == [3, 1, 0, None, None, 0]
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


def test_streams_that_arrive_together_share_their_accounts_limit(
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


def test_a_snapshot_includes_changes_published_while_it_is_read() -> None:
    reads: list[set[str]] = []
    here = LoggedEvent(None, TOPIC, "presence", '{"status":"online"}')
    gone = LoggedEvent(None, TOPIC, "presence", '{"status":"offline"}')

    def read(topics: Sequence[str]) -> list[LoggedEvent]:
        reads.append(set(topics))
        snapshots.changed(gone)  # published while it is read
        return [here]

    snapshots = Snapshots(read)  # type: ignore[arg-type]
    assert snapshots.of([TOPIC]) == {TOPIC: encode(here) + encode(gone)}
    snapshots.changed(here)
    assert snapshots.of([TOPIC]) == {TOPIC: encode(here) + encode(gone) + encode(here)}
    assert reads == [{TOPIC}]


def test_a_snapshot_that_is_read_slowly_includes_its_changes_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("myukm.live.snapshots.MAX_AGE_SECONDS", 0.0)
    here = LoggedEvent(None, TOPIC, "presence", '{"status":"online"}')
    gone = LoggedEvent(None, TOPIC, "presence", '{"status":"offline"}')

    def read(_topics: object) -> list[LoggedEvent]:
        for _ in range(2):  # published while it is read, longer than a snapshot is kept
            snapshots.changed(gone)
        return [here]

    snapshots = Snapshots(read)
    assert snapshots.of([TOPIC]) == {TOPIC: encode(here) + 2 * encode(gone)}


def test_a_call_during_the_read_of_another_returns_the_state_as_well() -> None:
    """As the hub's progress without Valkey, while new streams read the same topic: no bytes would
    be the last chunk of its streams."""
    here = LoggedEvent(None, TOPIC, "presence", '{"status":"online"}')
    meanwhile: list[bytes] = []

    def read(_topics: object) -> list[LoggedEvent]:
        if not meanwhile:
            meanwhile.append(b"")
            meanwhile[0] = snapshots.of([TOPIC])[TOPIC]
        return [here]

    snapshots = Snapshots(read)
    assert [snapshots.of([TOPIC])[TOPIC], *meanwhile] == 2 * [encode(here)]


def test_a_snapshot_that_could_not_be_read_is_read_again() -> None:
    state = [LoggedEvent(None, TOPIC, "presence", "{}")]
    answers: Iterator[Exception | list[LoggedEvent]] = iter([ConnectionError(), state])

    def read(_topics: object) -> list[LoggedEvent]:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    snapshots = Snapshots(read)
    with pytest.raises(ConnectionError):
        snapshots.of([TOPIC])
    assert snapshots.of([TOPIC])[TOPIC]


def test_calls_that_arrive_during_a_batch_share_the_next_one() -> None:
    batches: list[list[int]] = []
    go = threading.Event()

    def double(numbers: Sequence[int]) -> list[int]:
        batches.append(list(numbers))
        assert go.wait(10)
        return [2 * number for number in numbers]

    batch = Batcher(double)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(batch.ask, 0, 10)
        wait_until(lambda: batches, 10, "the first batch runs")
        rest = [pool.submit(batch.ask, number, 10) for number in range(1, 9)]
        wait_until(lambda: len(batch._waiting) == 8, 10, "the others wait")
        go.set()
        assert [each.result() for each in (first, *rest)] == [2 * n for n in range(9)]
    assert [len(numbers) for numbers in batches] == [1, 8]


def test_an_error_fails_its_batch_and_not_the_next_one() -> None:
    batch = Batcher(lambda numbers: [1 // number for number in numbers])
    with pytest.raises(ZeroDivisionError):
        batch.ask(0, 10)
    assert batch.ask(1, 10) == 1


def test_only_the_first_stream_of_a_day_sets_the_cookie(
    client_as: Callable[[str], FlaskClient],
) -> None:
    """An answer that arrives late would bring back the cookie of an earlier log-in."""
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
