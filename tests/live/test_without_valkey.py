"""Without Valkey open streams still receive what is in the database."""

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
def mortal(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey of this test's own."""
    with start_valkey(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
def settings(settings: dict[str, str], mortal: Valkey) -> dict[str, str]:
    return settings | {"REDIS_URL": mortal.url}


def say(app: Flask, word: str) -> None:
    with app.app_context(), transaction():
        event_log.append("ukm:ROBOTIK", "chat.message", {"message": word})


@pytest.mark.timing("events arrive within 3.5 s without Valkey")
def test_events_and_progress_arrive_without_it_and_all_is_normal_on_its_return(
    app: Flask, web: WebServer, session_as: SessionAs, mortal: Valkey, tmp_path: Path
) -> None:
    member = StreamReader(web.url, session_as("member"))
    admin = StreamReader(web.url, session_as("admin"))
    admin.wait_for(1, "sync.progress")
    mortal.kill()
    say(app, "tanpa Valkey")
    assert member.wait_for(1, "chat.message", timeout=3.5) == [{"message": "tanpa Valkey"}]
    admin.wait_for(3, "sync.progress", timeout=6)
    late = StreamReader(web.url, session_as("friend"))
    assert late.wait_for(1, "heartbeat")[0]["degraded"]
    late.close()
    with start_valkey(tmp_path / "valkey", mortal.port) as returned:
        with redis.Redis.from_url(returned.url) as client:
            wait_until(lambda: client.pubsub_numsub(pubsub.CHANNEL)[0][1], 30, "it listens again")
        assert not member.ended.is_set()
        say(app, "lagi")
        member.wait_for(2, "chat.message", timeout=5)
    for reader in (member, admin):
        reader.close()


def test_open_streams_learn_of_an_outage_shorter_than_the_time_between_two_heartbeats(
    web: WebServer, session_as: SessionAs, mortal: Valkey, tmp_path: Path
) -> None:
    member = StreamReader(web.url, session_as("member"))
    member.wait_for(1, "heartbeat")
    mortal.kill()

    def told() -> list[bool]:
        return [away for away, _ in groupby(beat["degraded"] for beat in member.of("heartbeat"))]

    with start_valkey(tmp_path / "valkey", mortal.port):
        wait_until(lambda: told() == [False, True, False], 30, "Valkey went and came back")
    member.close()


@pytest.fixture
def silent(mortal: Valkey) -> Iterator[Callable[[], None]]:
    """Let Valkey hang: its kernel takes connections, but nothing answers."""
    yield lambda: os.kill(mortal.pid, signal.SIGSTOP)
    os.kill(mortal.pid, signal.SIGCONT)


@pytest.mark.timing("progress goes on within 8 s of Valkey's last word")
def test_progress_goes_on_though_valkey_only_falls_silent(
    web: WebServer, session_as: SessionAs, silent: Callable[[], None]
) -> None:
    admin = StreamReader(web.url, session_as("admin"))
    admin.wait_for(1, "sync.progress")
    silent()
    admin.wait_for(2, "sync.progress", timeout=8)
    admin.close()


@pytest.mark.timing("a message is delivered within 3 s")
def test_a_web_server_that_starts_while_valkey_hangs_delivers(
    app: Flask,
    people: dict[str, int],
    session_cookie: Callable[[str], tuple[str, str]],
    silent: Callable[[], None],
    settings: dict[str, str],
    tmp_path: Path,
) -> None:
    session = requests.Session()
    session.cookies.set(*session_cookie("member"))
    silent()
    web = WebServer(tmp_path / "late.log", settings)
    try:
        member = StreamReader(web.url, session)
        say(app, "tanpa jawaban")
        assert member.wait_for(1, "chat.message", timeout=3)
        member.close()
    finally:
        web.kill()


def test_foreign_messages_on_the_channel_are_ignored(
    app: Flask, web: WebServer, session_as: SessionAs, mortal: Valkey
) -> None:
    member = StreamReader(web.url, session_as("member"))
    with redis.Redis.from_url(mortal.url) as client:
        for words in (b"\xff", b"{}", b"[1]", b'[["a"]]', b"null", b'"x"'):
            client.publish(pubsub.CHANNEL, words)
    typing = {"ukm": "ROBOTIK", "user_id": 5, "name": "Farhan Hakim"}
    with app.app_context():  # a transient event: it can come through Valkey alone
        pubsub.publish_transient("ukm:ROBOTIK", "chat.typing", typing)
    assert member.wait_for(1, "chat.typing") == [typing]
    member.close()
