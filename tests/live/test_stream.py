"""`GET /stream` on a real gunicorn: cursor, replay, rights, limits, `bye`."""

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete

from myukm.db.session import transaction
from myukm.live import event_log, hub, pubsub
from myukm.live.subscriber import Subscriber
from myukm.live.topics import publish_rights_changed
from myukm.models import LoginSession, Membership
from myukm.web import arrivals
from tests.support.people import token_for
from tests.support.programs import WebServer
from tests.support.sse import StreamReader
from tests.support.waiting import wait_until

SessionAs = Callable[[str], requests.Session]
Open = Callable[..., StreamReader]


@pytest.fixture
def listen(web: WebServer, session_as: SessionAs) -> Iterator[Open]:
    opened: list[StreamReader] = []

    def open_stream(who: str, session: requests.Session | None = None, **kwargs) -> StreamReader:
        opened.append(StreamReader(web.url, session or session_as(who), **kwargs))
        return opened[-1]

    yield open_stream
    for stream in opened:
        stream.close()


def append(app: Flask, *texts: str, topic: str = "ukm:ROBOTIK") -> None:
    """Append one message per text, each in a commit of its own."""
    with app.app_context():
        for text in texts:
            with transaction():
                event_log.append(topic, "chat.message", {"message": text})


def texts_of(stream: StreamReader) -> list[str]:
    return [event["message"] for event in stream.of("chat.message")]


def test_events_arrive_in_order_with_their_numbers(app: Flask, listen: Open) -> None:
    stream = listen("member")
    append(app, "satu", "dua", "tiga")
    stream.wait_for(3, "chat.message")
    assert texts_of(stream) == ["satu", "dua", "tiga"]
    numbers = [event.id for event in stream.events if event.type == "chat.message"]
    assert numbers == [1, 2, 3]


def test_a_stream_begins_with_a_heartbeat_and_others_follow(
    client_as: Callable[[str], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "HEARTBEAT_SECONDS", 0.1)
    with client_as("member").get("/stream?topics=me") as response:
        chunks = response.iter_encoded()
        sent = b""
        while sent.count(b"event: heartbeat\n") < 3:
            sent += next(chunks)
    heartbeats = re.findall(rb"^event: heartbeat\ndata: (.*)$", sent, re.MULTILINE)
    assert re.match(rb"retry: \d+\nid: 0\nevent: heartbeat\n", sent)
    assert [json.loads(data)["degraded"] for data in heartbeats[:3]] == [False] * 3


def test_a_non_member_receives_no_events_of_a_ukm(app: Flask, listen: Open) -> None:
    member, outsider = listen("member"), listen("outsider")
    append(app, "rahasia")
    append(app, "pramuka", topic="ukm:PRAMUKA")
    member.wait_for(1, "chat.message")
    outsider.wait_for(1, "chat.message")
    assert (texts_of(member), texts_of(outsider)) == (["rahasia"], ["pramuka"])


def test_a_cursor_resumes_after_the_last_received_event(app: Flask, listen: Open) -> None:
    append(app, "lama", "satu", "dua")
    for resume in ({"params": {"cursor": "1"}}, {"headers": {"Last-Event-ID": "1"}}):
        stream = listen("member", **resume)
        stream.wait_for(2, "chat.message")
        assert texts_of(stream) == ["satu", "dua"]
        assert not stream.of("reset")


def test_the_header_wins_over_the_query(app: Flask, listen: Open) -> None:
    append(app, "satu", "dua")
    stream = listen("member", params={"cursor": "0"}, headers={"Last-Event-ID": "1"})
    assert stream.wait_for(1, "chat.message")
    assert texts_of(stream) == ["dua"]


@pytest.mark.parametrize("cursor", ["garbage", "-1", "1e3", "99", "٣", "", "9" * 40, "1; DROP"])
def test_an_unknown_cursor_is_answered_by_a_reset(app: Flask, listen: Open, cursor: str) -> None:
    append(app, "satu")
    stream = listen("member", params={"cursor": cursor})
    assert stream.wait_for(1, "reset")[0]["reason"]
    assert not texts_of(stream)


def test_a_message_sent_while_a_stream_opens_is_in_its_replay(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hub dispatches it after the rights were read and before the stream subscribes."""
    live: hub.Hub = app.extensions["live_hub"]
    subscribe = live.subscribe

    def subscribe_late(subscriber: Subscriber) -> None:
        appending = threading.Thread(target=append, args=(app, "sela"))
        appending.start()
        appending.join()
        wait_until(lambda: live.streams.seq == 1, 30, "the hub has dispatched it")
        subscribe(subscriber)

    monkeypatch.setattr(live, "subscribe", subscribe_late)
    with app.app_context():
        login = LoginSession.digest(token_for(people["member"]))
        arrival = arrivals.Arrival(login, None, None, "0", used_today=True)
        (opened,) = arrivals.open_streams(live, live.snapshots, [arrival])
    live.close()
    assert isinstance(opened, arrivals.Opened)
    assert b"sela" in (opened.missed or b"")


def test_a_pruned_cursor_gets_a_reset_and_a_later_one_a_replay(app: Flask, listen: Open) -> None:
    append(app, "satu", "dua", "tiga")
    with app.app_context(), transaction() as session:
        session.execute(delete(event_log.Event).where(event_log.Event.seq <= 2))
    assert listen("member", params={"cursor": "1"}).wait_for(1, "reset")
    covered = listen("member", params={"cursor": "2"})
    covered.wait_for(1, "chat.message")
    assert (texts_of(covered), covered.of("reset")) == (["tiga"], [])


def test_an_event_that_was_not_published_is_read_from_the_log(
    app: Flask, listen: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = listen("member")
    monkeypatch.setattr(pubsub, "publish", lambda entries: False)
    append(app, "tak diumumkan")
    monkeypatch.undo()
    append(app, "diumumkan")
    stream.wait_for(2, "chat.message")
    assert texts_of(stream) == ["tak diumumkan", "diumumkan"]


def receives_unread(app: Flask, stream: StreamReader, count: int) -> bool:
    """Publish a count of unread messages to the member, and return whether the stream has it.

    Call this until it returns True, because the event is not replayed.
    """
    unread = {"ukm": "ROBOTIK", "count": count}
    with app.app_context():
        publish_rights_changed()
        pubsub.publish_transient("user:4", "unread", unread)
    return unread in stream.of("unread")


def test_a_stream_can_be_narrowed_to_topics_but_not_to_topics_of_others(
    app: Flask, web: WebServer, session_as: SessionAs, listen: Open
) -> None:
    session = session_as("member")
    for topics in ("sync", "ukm:PRAMUKA", "me,queue", "user:1", "ukm:NONE"):
        answer = session.get(f"{web.url}/stream", params={"topics": topics}, timeout=5)
        assert answer.status_code == 403, topics
    stream = listen("member", session, params={"topics": "me"})
    append(app, "tidak diminta")
    wait_until(lambda: receives_unread(app, stream, 7))
    assert not texts_of(stream)


@pytest.mark.timing("a stream ends 5 s after the log-out")
def test_a_log_out_ends_its_stream_within_5_seconds(
    web: WebServer, session_as: SessionAs, listen: Open
) -> None:
    session = session_as("member")
    stream = listen("member", session)
    session.post(f"{web.url}/logout", timeout=5)
    assert stream.ended.wait(5)


@pytest.mark.timing("a stream ends 5.5 s after its session")
def test_a_session_deleted_in_the_database_ends_its_stream(
    app: Flask, people: dict[str, int], listen: Open
) -> None:
    stream, other = listen("member"), listen("friend")
    with app.app_context(), transaction() as session:
        mine = LoginSession.user_id == people["member"]
        session.execute(delete(LoginSession).where(mine))
    assert stream.ended.wait(5.5)
    assert not other.ended.is_set()


def test_a_removed_member_receives_no_later_events_of_the_ukm(
    app: Flask, people: dict[str, int], listen: Open
) -> None:
    stream, friend = listen("member"), listen("friend")
    with app.app_context(), transaction() as session:
        session.execute(delete(Membership).where(Membership.user_id == people["member"]))
    wait_until(lambda: receives_unread(app, stream, 7))
    append(app, "sesudah keluar")
    friend.wait_for(1, "chat.message")
    wait_until(lambda: receives_unread(app, stream, 8), what="a later event")
    assert not texts_of(stream)


def test_the_eleventh_stream_of_an_account_is_refused(
    web: WebServer, session_as: SessionAs, listen: Open
) -> None:
    session = session_as("member")
    for _ in range(10):
        listen("member", session)
    answer = session.get(f"{web.url}/stream", timeout=5)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_streams")
    listen("friend")


@pytest.mark.timing("a stopping server says bye within 5 s")
def test_a_server_that_stops_says_bye(web: WebServer, listen: Open) -> None:
    stream = listen("member")
    os.kill(arbiter_of(web), signal.SIGTERM)
    assert stream.wait_for(1, "bye", timeout=5)[0]["retry_ms"] > 0
    assert stream.ended.wait(5)


def arbiter_of(web: WebServer) -> int:
    """Return the process id of gunicorn's master, which is the only child of the reaper."""
    children = f"/proc/{web.child.pid}/task/{web.child.pid}/children"
    with open(children) as file:
        return int(file.read().split()[0])
