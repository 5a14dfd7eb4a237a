"""Many posts into one UKM at once do not slow down other requests: few wait for the UKM's row, the
others are refused, and publishing does not wait."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, event, select
from werkzeug.test import TestResponse

from myukm.domain.chat import broadcast, messages
from myukm.extensions import db
from myukm.models import ChatMessage, Ukm, User
from myukm.web.ukm import turns
from tests.support.people import UKM
from tests.support.waiting import wait_until

servers = pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
As = Callable[[str], FlaskClient]


@contextmanager
def row_locked(app: Flask) -> Iterator[None]:
    """Another database session locks the UKM's row."""
    engine = create_engine(app.config["SQLALCHEMY_DATABASE_URI"])
    with engine.connect() as connection:
        connection.execute(select(Ukm.id).where(Ukm.code == UKM).with_for_update())
        yield
    engine.dispose()


def connections_in_use(app: Flask) -> int:
    """Return the number of connections that the app's requests have taken."""
    with app.app_context():
        return int(db.engine.pool.checkedout())  # type: ignore[attr-defined]


@servers
def test_two_posts_wait_for_the_locked_row_and_the_others_are_refused(
    app: Flask, client_as: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.7)
    clients = [client_as(who) for who in ("member", "friend") * 3]

    def post(number: int) -> TestResponse:
        body = {"message": "halo", "client_id": str(number)}
        return clients[number].post(f"/ukm/{UKM}/messages", json=body)

    with ThreadPoolExecutor(len(clients)) as pool:
        with row_locked(app):
            posts: list[Future[TestResponse]] = [pool.submit(post, n) for n in range(len(clients))]
            wait_until(lambda: sum(each.done() for each in posts) == 4, 30, "four are refused")
            assert connections_in_use(app) == 2
        answers = [each.result() for each in posts]
    assert sorted(answer.status_code for answer in answers) == [201, 201, 503, 503, 503, 503]
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert (refused.headers["Retry-After"], refused.json["error"]["code"]) == ("1", "busy")


def test_a_turn_can_be_taken_again_after_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.1)
    for _ in range(5):
        with turns.turn(UKM), turns.turn(UKM), turns.turn("OTHER"):
            pass
    assert UKM not in turns._semaphores


@servers
def test_publishing_does_not_wait_for_a_locked_row(app: Flask, people: dict[str, int]) -> None:
    with app.app_context():
        user = db.session.get_one(User, people["member"])
        ukm_id = messages.post(user, UKM, "halo", "1")[0].ukm_id
        with row_locked(app):
            assert broadcast.publish_unless_busy(ukm_id) == 0
        assert broadcast.publish_unless_busy(ukm_id) == 1


def test_a_message_posted_while_its_process_publishes_is_published_by_the_same_call(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A post does not wait with a connection, because ten such posts would take the whole pool."""
    publish, calls = broadcast.publish, []

    def meanwhile(ukm_id: int, *, wait: bool) -> int:
        calls.append(wait)
        done = publish(ukm_id, wait=wait)
        if len(calls) == 1:
            another = threading.Thread(target=say, args=["dua"])
            another.start()
            another.join()
        return done

    def say(text: str) -> None:
        with app.app_context():
            user = db.session.get_one(User, people["friend"])
            messages.post(user, UKM, text, text)
            assert broadcast.publish_unless_busy(1) == 0

    with app.app_context():
        user = db.session.get_one(User, people["member"])
        ukm_id = messages.post(user, UKM, "satu", "1")[0].ukm_id
        monkeypatch.setattr(broadcast, "publish", meanwhile)
        assert broadcast.publish_unless_busy(ukm_id) == 2
        unpublished = select(ChatMessage).where(ChatMessage.published_at.is_(None))
        assert db.session.scalars(unpublished).all() == []
    assert calls == [False, False]


def test_requests_that_wait_for_a_turn_hold_no_connection(
    app: Flask, client_as: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused request executes no statement, not even the query of its log-in."""
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.1)
    calls = [
        ("POST", f"/ukm/{UKM}/messages"),
        ("PATCH", f"/ukm/{UKM}/messages/1"),
        ("DELETE", f"/ukm/{UKM}/messages/1"),
        ("PUT", f"/ukm/{UKM}/messages/1/reactions/👍"),
        ("DELETE", f"/ukm/{UKM}/messages/1/reactions/👍"),
    ]
    client, statements = client_as("member"), list[str]()
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    with turns.turn(UKM), turns.turn(UKM):
        for method, address in calls:
            answer = client.open(address, method=method, json={"message": "x", "client_id": "1"})
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1"), address
    assert statements == []
