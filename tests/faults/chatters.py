"""People of a chat under faults: who talks until it is accepted, who listens as a page does."""

import json
import random
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress

import requests

TRY_AGAIN_SECONDS = 0.2


class MessageSender(threading.Thread):
    """Posts to random UKMs; a post that got no answer is sent again with the same client_id."""

    pause, timeout = 0.5, 60.0

    def __init__(
        self, url: str, name: str, sessions: list[requests.Session], codes: list[str]
    ) -> None:
        super().__init__(daemon=True)
        self.url, self.label, self.sessions, self.codes = url, name, sessions, codes
        self.draw = random.Random(name)
        self.accepted: dict[int, tuple[str, str]] = {}
        self.accepted_at: dict[int, float] = {}
        self.took: list[float] = []
        self.refusals: Counter[int] = Counter()
        self.refused: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        """Send until `stopped` is set."""
        count = 0
        while not self.stopped.wait(self.draw.uniform(0, self.pause)):
            count += 1
            session = self.sessions[count % len(self.sessions)]
            self.send(session, self.draw.choice(self.codes), f"{self.label}-{count}")

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
                self.took.append(time.monotonic() - began)
                return
            self.refusals[answer.status_code if answer is not None else 0] += 1
            if answer is not None and answer.status_code not in (429, 502, 503):
                self.refused.append(f"{answer.status_code} {answer.text[:200]}")
                return
            time.sleep(TRY_AGAIN_SECONDS)
        self.refused.append(f"{client_id} was not accepted within {self.timeout:.0f} s")


class StreamClient(threading.Thread):
    """Follows a stream over all faults: resumes by its cursor, catches up after a `reset`."""

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
            self.stopped.wait(random.uniform(0, 2 * TRY_AGAIN_SECONDS))

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
        """Note one event."""
        self.cursor = fields.get("id", self.cursor)
        if fields.get("event") == "reset":
            self.resync()
        elif fields.get("event") == "chat.message":
            self.record(json.loads(fields["data"]))

    def resync(self) -> None:
        """Ask for what was missed, as the page does."""
        for code in self.codes:
            while page := self.after(code, self.received[code][-1] if self.received[code] else 0):
                for message in page:
                    self.record(message)

    def after(self, code: str, message_id: int) -> list[dict[str, object]]:
        """Return the messages after that one; none where the listener is a stranger."""
        url = f"{self.url}/ukm/{code}/messages"
        answer = self.session.get(url, params={"after": message_id, "limit": 100}, timeout=8)
        found: list[dict[str, object]] = answer.json().get("messages", [])
        return found

    def record(self, message: dict[str, object]) -> None:
        """Keep a message's id; one that is here already came twice."""
        ids, new = self.received[str(message["ukm"])], int(str(message["id"]))
        if new in ids[-500:]:
            self.twice.append(new)
        else:
            ids.append(new)
            self.received_at[new] = time.monotonic()
