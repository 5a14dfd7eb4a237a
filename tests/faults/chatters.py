"""Clients of the chat under faults: one sends messages, one receives them as a page does."""

import json
import random
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress

import requests

RETRY_SECONDS = 0.2


class MessageSender(threading.Thread):
    """Posts to random UKMs; a post without a response is repeated with the same client_id.

    `pause` is the longest pause between two messages, `timeout` the time within which a message
    must be accepted, both in seconds.
    """

    pause, timeout = 0.5, 60.0

    def __init__(
        self, url: str, name: str, sessions: list[requests.Session], codes: list[str]
    ) -> None:
        super().__init__(daemon=True)
        self.url, self.label, self.sessions, self.codes = url, name, sessions, codes
        self.rng = random.Random(name)
        self.accepted: dict[int, tuple[str, str]] = {}
        self.accepted_at: dict[int, float] = {}
        self.seconds_taken: list[float] = []
        self.refusals: Counter[int] = Counter()  # by status, 0 without a response
        self.problems: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        """Send until `stopped` is set."""
        count = 0
        while not self.stopped.wait(self.rng.uniform(0, self.pause)):
            count += 1
            session = self.sessions[count % len(self.sessions)]
            self.send(session, self.rng.choice(self.codes), f"{self.label}-{count}")

    def send(self, session: requests.Session, code: str, client_id: str) -> None:
        """Send one message until it is accepted."""
        message = {"message": client_id, "client_id": client_id}
        began = time.monotonic()
        deadline = began + self.timeout
        while time.monotonic() < deadline:
            try:
                answer = session.post(f"{self.url}/ukm/{code}/messages", json=message, timeout=8)
            except requests.RequestException:
                answer = None
            if answer is not None and answer.status_code in (200, 201):
                number = answer.json()["id"]
                self.accepted[number] = (code, client_id)
                self.accepted_at[number] = time.monotonic()
                self.seconds_taken.append(time.monotonic() - began)
                return
            self.refusals[answer.status_code if answer is not None else 0] += 1
            if answer is not None and answer.status_code not in (429, 502, 503):
                self.problems.append(f"{answer.status_code} {answer.text[:200]}")
                return
            time.sleep(RETRY_SECONDS)
        self.problems.append(f"{client_id} was not accepted within {self.timeout:.0f} s")


class StreamClient(threading.Thread):
    """Reads a stream through all faults: resumes by its cursor, loads messages after a `reset`."""

    def __init__(self, url: str, session: requests.Session, codes: list[str]) -> None:
        super().__init__(daemon=True)
        self.url, self.session, self.codes = url, session, codes
        self.received: dict[str, list[int]] = defaultdict(list)
        self.received_at: dict[int, float] = {}
        self.twice: list[int] = []
        self.opened, self.stopped = threading.Event(), threading.Event()
        self.cursor: str | None = None

    def run(self) -> None:
        """Read until `stopped` is set."""
        while not self.stopped.is_set():
            with suppress(requests.RequestException, AttributeError, ValueError):
                self.read_stream()
            self.stopped.wait(random.uniform(0, 2 * RETRY_SECONDS))

    def read_stream(self) -> None:
        """Read one stream to its end."""
        headers = {"Last-Event-ID": self.cursor} if self.cursor else {}
        url = f"{self.url}/stream"
        with self.session.get(url, headers=headers, stream=True, timeout=(3, 20)) as answer:
            self.opened.set()
            fields: dict[str, str] = {}
            for line in answer.iter_lines(chunk_size=1):
                if line:
                    name, _, value = line.decode().partition(":")
                    fields[name] = value.removeprefix(" ")
                elif fields:
                    self.handle(fields)
                    fields = {}
                if self.stopped.is_set():
                    return

    def handle(self, fields: dict[str, str]) -> None:
        """Process one event."""
        self.cursor = fields.get("id", self.cursor)
        if fields.get("event") == "reset":
            self.resync()
        elif fields.get("event") == "chat.message":
            self.record(json.loads(fields["data"]))

    def resync(self) -> None:
        """Request the missed messages, as the page does."""
        for code in self.codes:
            while page := self.after(code, self.received[code][-1] if self.received[code] else 0):
                for message in page:
                    self.record(message)

    def after(self, code: str, message_id: int) -> list[dict[str, object]]:
        """Return the messages of a UKM after `message_id`; none for a client that is no member."""
        url = f"{self.url}/ukm/{code}/messages"
        answer = self.session.get(url, params={"after": message_id, "limit": 100}, timeout=8)
        found: list[dict[str, object]] = answer.json().get("messages", [])
        return found

    def record(self, message: dict[str, object]) -> None:
        """Store a message's id, in `twice` if it was received before."""
        ids, new = self.received[str(message["ukm"])], int(str(message["id"]))
        if new in ids[-500:]:
            self.twice.append(new)
        else:
            ids.append(new)
            self.received_at[new] = time.monotonic()
