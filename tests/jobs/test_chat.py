"""Chat with real processes: workers on the right or another queue, killed workers, no Valkey."""

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
    """Two web processes, because the writer and the streams may be connected to different ones."""
    server = WebServer(tmp_path / "web.log", settings, workers=2)
    yield server
    server.kill()


class Room:
    """Two people in ROBOTIK: the member posts, and the friend reads two streams."""

    def __init__(self, web: WebServer, session_as: SessionAs) -> None:
        self.url, self.writer, self.reader = web.url, session_as("member"), session_as("friend")
        self.streams = [StreamReader(web.url, self.reader) for _ in range(2)]
        self.sent_count = 0

    def say(self, count: int = 1) -> list[float]:
        """Post `count` messages; return how many seconds each response took."""
        seconds = []
        for _ in range(count):
            message = {"message": str(self.sent_count), "client_id": f"c{self.sent_count}"}
            answer = self.writer.post(f"{self.url}/ukm/{UKM}/messages", json=message, timeout=10)
            assert answer.status_code == 201, answer.text
            seconds.append(answer.elapsed.total_seconds())
            self.sent_count += 1
        return seconds

    def wait_received(self, within: float = 30.0) -> None:
        """Wait at most `within` seconds until both streams have each message once and in order."""
        for stream in self.streams:
            stream.wait_for(self.sent_count, "chat.message", timeout=within)
            texts = [message["message"] for message in stream.of("chat.message")]
            assert texts == [str(n) for n in range(self.sent_count)]

    def receives_typing(self) -> bool:
        """Report typing, and return whether both streams received it, which needs Valkey."""
        self.writer.post(f"{self.url}/ukm/{UKM}/typing", timeout=10)
        return all(stream.of("chat.typing") for stream in self.streams)


@pytest.fixture
def room(web: WebServer, session_as: SessionAs) -> Iterator[Room]:
    made = Room(web, session_as)
    yield made
    for stream in made.streams:
        stream.close()


def wait_listening(worker: Program) -> Program:
    wait_until(lambda: "Listening on" in worker.output(), 30, "the worker listens")
    return worker


def test_plain_rq_publishes_messages(room: Room, start: Start) -> None:
    worker = wait_listening(start("rq", "worker", "high"))
    room.say(5)
    room.wait_received()
    wait_until(lambda: "Job OK" in worker.output(), 30)


def test_messages_arrive_though_no_worker_listens_on_their_queue(room: Room, start: Start) -> None:
    wait_listening(start("rq", "worker", "default"))
    room.say(5)
    room.wait_received()


def test_a_worker_killed_with_jobs_waiting_loses_nothing(room: Room, start: Start) -> None:
    worker = wait_listening(start("rq", "worker", "high"))
    room.say(3)
    worker.kill()
    room.say(3)
    room.wait_received()
    wait_listening(start("rq", "worker", "high"))
    room.say(3)
    room.wait_received()


@pytest.mark.timing("all is normal 5 s after Valkey's return")
def test_posting_stays_fast_while_valkey_is_dead(
    room: Room, start: Start, killable_valkey: Valkey, tmp_path: Path
) -> None:
    room.say(2)
    room.wait_received(within=3)
    killable_valkey.kill()
    assert max(room.say(15)) < 0.3
    room.wait_received(within=3)
    with start_valkey(tmp_path / "valkey", killable_valkey.port):
        wait_until(room.receives_typing, 5, "all is normal 5 s after its return")
        worker = wait_listening(start("rq", "worker", "high"))
        room.say()
        room.wait_received(within=3)
        wait_until(lambda: "Job OK" in worker.output(), 5)


def test_a_hanging_valkey_delays_messages_but_loses_none(
    room: Room, killable_valkey: Valkey
) -> None:
    room.say(2)
    room.wait_received()
    os.kill(killable_valkey.pid, signal.SIGSTOP)
    assert max(room.say(15)) < 5, "posts do not wait for several time-outs"
    room.wait_received()
    os.kill(killable_valkey.pid, signal.SIGCONT)
    room.say(2)
    room.wait_received()


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
    wait_listening(start("rq", "worker", "default"))
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
