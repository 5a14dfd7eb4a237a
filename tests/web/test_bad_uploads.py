"""Uploads that try to fill the memory or all slots; other requests are answered meanwhile."""

import io
import select
import socket
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from flask import Flask
from PIL import Image

from tests.support.files import FILES, FORM, PDF, form, left_behind, office
from tests.support.pictures import bomb, encoded
from tests.support.programs import WebServer
from tests.support.waiting import wait_until

SessionAs = Callable[[str], requests.Session]
MAX_GROWTH_MB = 64


def zip_bomb() -> bytes:
    """Return an office file of 300 kB that unpacks to 300 MB."""
    file = io.BytesIO(office())
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        for number in range(30):
            archive.writestr(f"word/{number}.xml", b"\0" * 10_000_000)
    return file.getvalue()


def bad_files() -> list[tuple[bytes, str, set[int]]]:
    """Return the content, the name and the allowed statuses of each file."""
    return [
        (bomb(), "a.png", {422}),
        (encoded(Image.new("1", (10_000, 10_000)), "PNG"), "b.png", {422}),
        (encoded(Image.new("RGB", (4000, 4000), "red"), "PNG"), "c.png", {201}),
        (encoded(Image.new("RGB", (8000, 7900), "red"), "JPEG"), "d.jpg", {201}),
        (zip_bomb(), "e.docx", {201}),
        (PDF + b"<html><script>alert(1)</script>" + office(), "f.pdf", {201}),
        (b"GIF89a/*" + b"<svg onload=alert(1)>" * 99, "../../\u202egnp.gif", {422}),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "g.svg", {422}),
        (b"<!doctype html><script>alert(1)</script>", "h.jpg", {422}),
        (PDF.ljust(20_000_000, b"\n"), "i.pdf", {201}),
    ]


BUSY = {429, 503}


class Watch(threading.Thread):
    """Measures the peak memory of the server's processes, and how long another user waits."""

    def __init__(self, web: WebServer, other: requests.Session) -> None:
        super().__init__(daemon=True)
        self.url, self.other = f"{web.url}/ukm", other
        server = psutil.Process(web.child.pid).children(recursive=True)
        # Images are decoded in subprocesses, which have a memory limit of their own.
        self.processes = [one for one in server if "reencoding" not in " ".join(one.cmdline())]
        self.before = self.memory()
        self.peak, self.waits = self.before, list[float]()
        self.ended = threading.Event()

    def memory(self) -> int:
        return sum(one.memory_info().rss for one in self.processes if one.is_running())

    def run(self) -> None:
        while not self.ended.wait(0.05) or not self.waits:
            began = time.monotonic()
            assert self.other.get(self.url, timeout=30).status_code == 200
            self.waits.append(time.monotonic() - began)
            self.peak = max(self.peak, self.memory())


@contextmanager
def watched(web: WebServer, other: requests.Session) -> Iterator[Watch]:
    other.get(f"{web.url}/ukm", timeout=30)
    watch = Watch(web, other)
    watch.start()
    try:
        yield watch
    finally:
        watch.ended.set()
        watch.join(60)
    assert watch.waits, "nothing was measured"


def test_a_hundred_concurrent_uploads_of_one_person_do_not_delay_others(
    app: Flask, web: WebServer, session_as: SessionAs, settings: dict[str, str]
) -> None:
    cookies, headers, bad = session_as("member").cookies, {"Content-Type": FORM}, bad_files()

    def send(number: int) -> tuple[int, str]:
        data, name, _allowed = bad[number % len(bad)]
        kind = {"svg": "image/svg+xml", "jpg": "image/jpeg"}.get(name[-3:], "")
        sent = form(data, name, kind, f"f{number}")
        url = f"{web.url}{FILES}"
        answer = requests.post(url, data=sent, headers=headers, cookies=cookies, timeout=100)
        return answer.status_code, answer.text

    with watched(web, session_as("friend")) as watch, ThreadPoolExecutor(100) as crowd:
        answers = list(crowd.map(send, range(100)))
    counted = Counter(status for status, _text in answers)
    wrong = [
        (bad[number % len(bad)][1], status, text[:200])
        for number, (status, text) in enumerate(answers)
        if status not in bad[number % len(bad)][2] | BUSY
    ]
    assert wrong == [], counted
    grown = (watch.peak - watch.before) / 1_000_000
    assert grown <= MAX_GROWTH_MB, f"{grown:.0f} MB more, {counted}"
    waits = sorted(watch.waits)
    assert waits[int(len(waits) * 0.95)] < 5, f"{waits[-5:]} {counted}"
    folder = Path(settings["FILES_URL"].removeprefix("file://"))
    wait_until(lambda: left_behind(folder) == [], 30, "no draft is left")


FILE_BYTES, MAX_SENT_BYTES = 2_000_000_000, 50_000_000


def offer(url: str, cookie: tuple[str, str], *, announced: bool) -> bytes:
    """Send the beginning of a file of 2 GB, or of a chunked body of unknown length. Return the
    response, which comes before the rest is sent."""
    address, (name, value) = urlsplit(url), cookie
    size = f"Content-Length: {FILE_BYTES}" if announced else "Transfer-Encoding: chunked"
    head = (
        f"POST {FILES} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {name}={value}\r\n"
        f"Content-Type: {FORM}\r\n{size}\r\n\r\n"
    ).encode()
    block, sent = b"%" * 64 * 1024, 0

    def framed(data: bytes) -> bytes:
        return data if announced else b"%x\r\n%b\r\n" % (len(data), data)

    with socket.create_connection((str(address.hostname), int(address.port or 0)), 30) as caller:
        with suppress(ConnectionError):  # a response from before can still be read
            caller.sendall(head + framed(form(PDF, "a.pdf").rpartition(b"\r\n--X--")[0]))
            while sent < MAX_SENT_BYTES and not select.select([caller], [], [], 0)[0]:
                caller.sendall(framed(block))
                sent += len(block)
        return caller.recv(4000)


@pytest.mark.parametrize("announced", [True, False])
def test_two_gigabytes_are_refused_after_50_megabytes_at_most(
    web: WebServer,
    session_as: SessionAs,
    session_cookie: Callable[[str], tuple[str, str]],
    settings: dict[str, str],
    announced: bool,
) -> None:
    with watched(web, session_as("friend")) as watch:
        answer = offer(web.url, session_cookie("member"), announced=announced)
    assert answer.split()[1] == b"413", answer
    assert watch.peak - watch.before <= MAX_GROWTH_MB * 1_000_000
    folder = Path(settings["FILES_URL"].removeprefix("file://"))
    wait_until(lambda: left_behind(folder) == [], 10, "no draft is left")


@pytest.fixture
def short_timeout(settings: dict[str, str], tmp_path: Path, app: Flask) -> Iterator[WebServer]:
    """A web server on which uploads time out after 2 s."""
    server = WebServer(tmp_path / "web.log", settings, app="tests.support.impatient:app")
    yield server
    server.kill()


def test_slow_uploads_time_out_and_do_not_delay_others(
    short_timeout: WebServer,
    session_cookie: Callable[[str], tuple[str, str]],
    settings: dict[str, str],
) -> None:
    address, (name, value) = urlsplit(short_timeout.url), session_cookie("member")
    head = (
        f"POST {FILES} HTTP/1.1\r\nHost: {address.netloc}\r\nCookie: {name}={value}\r\n"
        f"Content-Type: {FORM}\r\nContent-Length: 1000000\r\n\r\n"
    ).encode() + form(PDF, "a.pdf").rpartition(b"\r\n--X--")[0]
    where = (str(address.hostname), int(address.port or 0))
    callers = [socket.create_connection(where, 30) for _number in range(6)]
    for caller in callers:
        caller.sendall(head)
        caller.settimeout(0.1)
    friend = dict([session_cookie("friend")])
    answers = dict[int, bytes]()
    deadline = time.monotonic() + 20
    while len(answers) < len(callers) and time.monotonic() < deadline:
        for number, caller in enumerate(callers):
            if number not in answers and (got := drip(caller)):
                answers[number] = got
        ukm = requests.get(f"{short_timeout.url}/ukm", cookies=friend, timeout=5)
        assert ukm.status_code == 200
    counted = Counter(answer.split()[1] for answer in answers.values())
    assert counted == {b"408": 4, b"429": 2}
    folder = Path(settings["FILES_URL"].removeprefix("file://"))
    wait_until(lambda: left_behind(folder) == [], 30, "no draft is left")
    for caller in callers:
        caller.close()


def drip(caller: socket.socket) -> bytes:
    """Send one more byte and return the response, or b"" if there is none yet."""
    try:
        caller.send(b"x")
        return caller.recv(4000)
    except TimeoutError:
        return b""
    except OSError:
        return b"HTTP/1.1 closed"
