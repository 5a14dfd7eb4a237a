"""Without Valkey open streams still receive the events and the progress from the database."""

import os
import signal
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import pytest
import redis
import requests
from flask import Flask

from devtools.valkey import Valkey, start_valkey
from myukm.db.session import transaction
from myukm.live import event_log, pubsub
from tests.support.programs import WebServer
from tests.support.sse import StreamReader
from tests.support.waiting import wait_until

SessionAs = Callable[[str], requests.Session]


@pytest.fixture
def settings(settings: dict[str, str], killable_valkey: Valkey) -> dict[str, str]:
    return settings | {"REDIS_URL": killable_valkey.url}


def append(app: Flask, text: str) -> None:
    with app.app_context(), transaction():
        event_log.append("ukm:ROBOTIK", "chat.message", {"message": text})


@pytest.mark.timing("events arrive within 3.5 s without Valkey")
def test_events_and_progress_arrive_without_valkey_and_after_its_return(
    app: Flask, web: WebServer, session_as: SessionAs, killable_valkey: Valkey, tmp_path: Path
) -> None:
    member = StreamReader(web.url, session_as("member"))
    admin = StreamReader(web.url, session_as("admin"))
    admin.wait_for(1, "sync.progress")
    killable_valkey.kill()
    append(app, "tanpa Valkey")
    assert member.wait_for(1, "chat.message", timeout=3.5) == [{"message": "tanpa Valkey"}]
    admin.wait_for(3, "sync.progress", timeout=6)
    late = StreamReader(web.url, session_as("friend"))
    assert late.wait_for(1, "heartbeat")[0]["degraded"]
    late.close()
    with start_valkey(tmp_path / "valkey", killable_valkey.port) as returned:
        with redis.Redis.from_url(returned.url) as client:
            wait_until(
                lambda: client.pubsub_numsub(pubsub.CHANNEL)[0][1], 30, "the hub subscribes again"
            )
        assert not member.ended.is_set()
        append(app, "lagi")
        member.wait_for(2, "chat.message", timeout=5)
    for reader in (member, admin):
        reader.close()


def test_heartbeats_report_an_outage_that_is_shorter_than_their_interval(
    web: WebServer, session_as: SessionAs, killable_valkey: Valkey, tmp_path: Path
) -> None:
    member = StreamReader(web.url, session_as("member"))
    member.wait_for(1, "heartbeat")
    killable_valkey.kill()

    def reported() -> list[bool]:
        degraded = [event["degraded"] for event in member.of("heartbeat")]
        return [state for state, _ in groupby(degraded)]

    with start_valkey(tmp_path / "valkey", killable_valkey.port):
        wait_until(lambda: reported() == [False, True, False], 30, "Valkey went and came back")
    member.close()


@pytest.fixture
def hang(killable_valkey: Valkey) -> Iterator[Callable[[], None]]:
    """Stop the process of Valkey: its kernel accepts connections, but nothing answers."""
    yield lambda: os.kill(killable_valkey.pid, signal.SIGSTOP)
    os.kill(killable_valkey.pid, signal.SIGCONT)


@pytest.mark.timing("progress goes on within 8 s of Valkey's last answer")
def test_progress_goes_on_while_valkey_hangs(
    web: WebServer, session_as: SessionAs, hang: Callable[[], None]
) -> None:
    admin = StreamReader(web.url, session_as("admin"))
    admin.wait_for(1, "sync.progress")
    hang()
    admin.wait_for(2, "sync.progress", timeout=8)
    admin.close()


@pytest.mark.timing("a message is delivered within 3 s")
def test_a_web_server_that_starts_while_valkey_hangs_delivers_messages(
    app: Flask,
    people: dict[str, int],
    session_cookie: Callable[[str], tuple[str, str]],
    hang: Callable[[], None],
    settings: dict[str, str],
    tmp_path: Path,
) -> None:
    session = requests.Session()
    session.cookies.set(*session_cookie("member"))
    hang()
    web = WebServer(tmp_path / "late.log", settings)
    try:
        member = StreamReader(web.url, session)
        append(app, "tanpa jawaban")
        assert member.wait_for(1, "chat.message", timeout=3)
        member.close()
    finally:
        web.kill()


def test_foreign_messages_on_the_channel_are_ignored(
    app: Flask, web: WebServer, session_as: SessionAs, killable_valkey: Valkey
) -> None:
    member = StreamReader(web.url, session_as("member"))
    with redis.Redis.from_url(killable_valkey.url) as client:
        for payload in (b"\xff", b"{}", b"[1]", b'[["a"]]', b"null", b'"x"'):
            client.publish(pubsub.CHANNEL, payload)
    typing = {"ukm": "ROBOTIK", "user_id": 5, "name": "Farhan Hakim"}
    with app.app_context():  # a transient event, because it arrives only through Valkey
        pubsub.publish_transient("ukm:ROBOTIK", "chat.typing", typing)
    assert member.wait_for(1, "chat.typing") == [typing]
    member.close()
