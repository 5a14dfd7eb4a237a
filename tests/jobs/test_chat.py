"""Chat with real processes: workers that listen, listen elsewhere, die; a Valkey that is away."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from flask import Flask

from devtools.valkey import Valkey, start_valkey
from tests.support.people import UKM
from tests.support.programs import Program, WebServer
from tests.support.sse import StreamReader
from tests.support.waiting import wait_until

SessionAs = Callable[[str], requests.Session]
Start = Callable[..., Program]


@pytest.fixture
def settings(settings: dict[str, str], killable_valkey: Valkey) -> dict[str, str]:
    return {**settings, "REDIS_URL": killable_valkey.url}


@pytest.fixture
def web(settings: dict[str, str], tmp_path: Path, app: Flask) -> Iterator[WebServer]:
    """Two web processes: who posts and who listens may be on different ones."""
    server = WebServer(tmp_path / "web.log", settings, workers=2)
    yield server
    server.kill()


class Room:
    """Two people in ROBOTIK: member writes, friend listens on two streams."""

    def __init__(self, web: WebServer, session_as: SessionAs) -> None:
        self.url, self.writer, self.reader = web.url, session_as("member"), session_as("friend")
        self.streams = [StreamReader(web.url, self.reader) for _ in range(2)]
        self.said = 0

    def say(self, count: int = 1) -> list[float]:
        """Post that many messages; return how many seconds each answer took."""
        seconds = []
        for _ in range(count):
            message = {"message": str(self.said), "client_id": f"c{self.said}"}
            answer = self.writer.post(f"{self.url}/ukm/{UKM}/messages", json=message, timeout=10)
            assert answer.status_code == 201, answer.text
            seconds.append(answer.elapsed.total_seconds())
            self.said += 1
        return seconds

    def heard(self, within: float = 30.0) -> None:
        """Wait until everyone heard everything that was said, once and in order."""
        for stream in self.streams:
            stream.wait_for(self.said, "chat.message", timeout=within)
            texts = [message["message"] for message in stream.of("chat.message")]
            assert texts == [str(n) for n in range(self.said)]

    def hears_typing(self) -> bool:
        """Type, and return whether everyone saw it; that needs a living Valkey."""
        self.writer.post(f"{self.url}/ukm/{UKM}/typing", timeout=10)
        return all(stream.of("chat.typing") for stream in self.streams)


@pytest.fixture
def room(web: WebServer, session_as: SessionAs) -> Iterator[Room]:
    made = Room(web, session_as)
    yield made
    for stream in made.streams:
        stream.close()


def listening(worker: Program) -> Program:
    wait_until(lambda: "Listening on" in worker.output(), 30, "the worker listens")
    return worker


def test_plain_rq_publishes_messages(room: Room, start: Start) -> None:
    worker = listening(start("rq", "worker", "high"))
    room.say(5)
    room.heard()
    wait_until(lambda: "Job OK" in worker.output(), 30)


def test_messages_arrive_though_no_worker_listens_on_their_queue(room: Room, start: Start) -> None:
    listening(start("rq", "worker", "default"))
    room.say(5)
    room.heard()


def test_a_worker_killed_with_jobs_waiting_loses_nothing(room: Room, start: Start) -> None:
    worker = listening(start("rq", "worker", "high"))
    room.say(3)
    worker.kill()
    room.say(3)
    room.heard()
    listening(start("rq", "worker", "high"))
    room.say(3)
    room.heard()


@pytest.mark.timing("all is normal 5 s after Valkey's return")
def test_posting_stays_fast_while_valkey_is_dead(
    room: Room, start: Start, killable_valkey: Valkey, tmp_path: Path
) -> None:
    room.say(2)
    room.heard(within=3)
    killable_valkey.kill()
    assert max(room.say(15)) < 0.3
    room.heard(within=3)
    with start_valkey(tmp_path / "valkey", killable_valkey.port):
        wait_until(room.hears_typing, 5, "all is normal 5 s after its return")
        worker = listening(start("rq", "worker", "high"))
        room.say()
        room.heard(within=3)
        wait_until(lambda: "Job OK" in worker.output(), 5)


def test_a_hanging_valkey_delays_messages_but_loses_none(
    room: Room, killable_valkey: Valkey
) -> None:
    room.say(2)
    room.heard()
    os.kill(killable_valkey.pid, signal.SIGSTOP)
    assert max(room.say(15)) < 5, "a moment, not the time-out of each"
    room.heard()
    os.kill(killable_valkey.pid, signal.SIGCONT)
    room.say(2)
    room.heard()


def test_one_post_repeated_on_two_web_processes_is_one_message(room: Room, web: WebServer) -> None:
    message = {"message": "sekali", "client_id": "same"}
    cookies = room.writer.cookies
    answers = [
        requests.post(f"{web.url}/ukm/{UKM}/messages", json=message, cookies=cookies, timeout=5)
        for _ in range(10)
    ]
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_members_coming_online_and_going_offline_are_published(
    room: Room, web: WebServer, start: Start
) -> None:
    listening(start("rq", "worker", "default"))
    friends = room.streams[0]
    visitor = StreamReader(web.url, room.writer)
    name = "Mega Lestari"
    wait_until(lambda: ("online", name) in statuses(friends), 20)
    left = time.monotonic()
    room.writer.post(f"{web.url}/logout", timeout=5)
    assert visitor.ended.wait(5)
    wait_until(lambda: ("offline", name) in statuses(friends), 40)
    assert time.monotonic() - left >= 19
    assert friends.of("presence")[-1]["online_count"] == 1


def statuses(stream: StreamReader) -> list[tuple[str, str]]:
    return [(event["status"], event["name"]) for event in stream.of("presence")]
