"""Clients that send files under faults and retry each request, as a page's outbox does."""

import hashlib
import random
import threading
import time
from collections.abc import Callable

import requests

from tests.support.files import PDF

RETRY_SECONDS = 0.2
TIMEOUT_SECONDS = 60.0


class Uploader(threading.Thread):
    """Uploads `count` files, sends each in a message, and deletes a fifth of the messages."""

    def __init__(
        self, url: str, name: str, sessions: list[requests.Session], codes: list[str], count: int
    ) -> None:
        super().__init__(daemon=True)
        self.url, self.label, self.sessions, self.codes = url, name, sessions, codes
        self.count, self.rng = count, random.Random(name)
        self.sent: dict[str, str] = {}
        self.problems: list[str] = []

    def run(self) -> None:
        """Send the files one after another."""
        for number in range(self.count):
            session = self.sessions[number % len(self.sessions)]
            try:
                self.send(session, self.rng.choice(self.codes), f"{self.label}-{number}")
            except AssertionError as error:
                self.problems.append(f"{self.label}-{number}: {error}")

    def send(self, session: requests.Session, code: str, key: str) -> None:
        """Upload a file and send it. Several people send files with the same bytes."""
        size = self.rng.choice([10, 1000, 300_000, 2_000_000])
        data = PDF + random.Random(self.rng.randrange(30)).randbytes(size)
        base = f"{self.url}/ukm/{code}"

        def upload() -> requests.Response:
            form = {"file": ("a.pdf", data, "application/pdf")}
            return session.post(f"{base}/files", data={"client_id": key}, files=form, timeout=15)

        file = self.retry(upload, (200, 201)).json()["id"]
        message = {"message": "", "client_id": key, "files": [file]}
        posted = self.retry(lambda: session.post(f"{base}/messages", json=message, timeout=8))
        if self.rng.random() < 0.2:
            path = f"{base}/messages/{posted.json()['id']}"
            self.retry(lambda: session.delete(path, timeout=8), (204,))
        else:
            self.sent[key] = hashlib.sha256(data).hexdigest()

    def retry(
        self, call: Callable[[], requests.Response], good: tuple[int, ...] = (200, 201)
    ) -> requests.Response:
        """Repeat a request until it is accepted and return its response."""
        deadline, last = time.monotonic() + TIMEOUT_SECONDS, "no answer"
        while time.monotonic() < deadline:
            try:
                answer = call()
            except requests.RequestException as error:
                last = type(error).__name__
            else:
                if answer.status_code in good:
                    return answer
                last = f"{answer.status_code} {answer.text[:200]}"
                assert answer.status_code in (408, 429, 502, 503), last
            time.sleep(RETRY_SECONDS)
        raise AssertionError(f"not accepted within {TIMEOUT_SECONDS:g} s: {last}")
