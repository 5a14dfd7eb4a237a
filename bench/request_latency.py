"""Latency of the two requests that people wait for (start a run, post a message), and the CPU that
a UKM's requests cost the web server with 30 members and with 3,000.

    python -m bench.request_latency [--students 6102] [--times 30]

Real gunicorn and Valkey, real HTTP, no worker, because callers do not wait for jobs. The CPU of a
request is that of all web processes, the minimum of several rounds, because other load on the
machine only increases it. Then Valkey is killed and messages are posted: prints the delay for the
sender and for a listener.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import requests
from sqlalchemy import insert, select

from bench.arguments import positive_int
from bench.fanout import populate
from bench.report import cpu_seconds, row, tail_row
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.models import ChatMessage, Membership, Siswa, Ukm
from myukm.web.chat import DEFAULT_PAGE
from tests.faults.campus import Campus
from tests.support.sse import StreamReader
from tests.support.waiting import wait_until

SYNC = "/admin/sync-pembayaran"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=positive_int, default=6102)
    parser.add_argument("--times", type=positive_int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        campus = Campus(Path(name), students=1)
        try:
            campus.worker.kill()
            students = [{"idperson": str(n), "nama": f"Siswa {n}"} for n in range(options.students)]
            with campus.app.app_context(), transaction() as session:
                session.execute(insert(Siswa), students)
            print_times("POST start", options.times, run_starter(campus))
            print_times("POST messages", options.times, message_poster(campus, "a", {}))
            print_cpu_of_calls(campus)
            without_valkey(campus, options.times)
        finally:
            campus.stop()


def print_times(name: str, times: int, call: Callable[[int], float]) -> None:
    """Print how long a call takes: the median, and the p99 or the maximum."""
    taken = [call(n) * 1000 for n in range(times)]
    row(f"{name}, median", statistics.median(taken), "ms")
    tail_row(name, taken, 99, "ms")


def run_starter(campus: Campus) -> Callable[[int], float]:
    """Return a function that starts a run, returns the seconds that took, and cancels the run."""
    session = campus.log_in("bendahara")

    def call(_: int) -> float:
        seconds = timed(session, f"{campus.url}{SYNC}/start", {}, 202)
        timed(session, f"{campus.url}{SYNC}/cancel", {}, 202)
        return seconds

    return call


def get(session: requests.Session, url: str) -> None:
    """Read a page."""
    answer = session.get(url, timeout=30)
    assert answer.status_code == 200, answer.text


def say(session: requests.Session, url: str, code: str, number: str, text: str) -> None:
    """Post a message."""
    sent = {"message": text, "client_id": f"{text}{number}"}
    timed(session, f"{url}/{code}/messages", sent, 201)


SIZES, ROUNDS, CALLS_A_ROUND, IDLE_SECONDS = (30, 3000), 5, 50, 5.0
Call = Callable[[requests.Session, str, str, str], None]
CALLS: dict[str, Call] = {
    "chat page": lambda session, url, code, _: get(session, f"{url}/{code}/chat"),
    "/ukm": lambda session, url, _code, _number: get(session, url),
    "presence": lambda session, url, code, _: get(session, f"{url}/{code}/online"),
    "names": lambda session, url, code, _: get(session, f"{url}/{code}/names?q=bench1"),
    "POST": lambda session, url, code, number: say(session, url, code, number, "halo"),
    "POST with a name": lambda session, url, code, number: say(
        session, url, code, number, "@Bench7 halo"
    ),
}


def print_cpu_of_calls(campus: Campus) -> None:
    """Print the CPU per call in a small and in a large UKM, and the ratio."""
    idle = idle_share(campus)
    row("web processes, idle: CPU", idle * 1000, "ms/s")
    cookies = {size: populate(campus.app, size, f"U{size}") for size in SIZES}
    for size in SIZES:
        fill_chat_page(campus, f"U{size}")
    for name, call in CALLS.items():
        found = {size: cpu_per_call(campus, size, cookies[size], call, idle) for size in SIZES}
        for size, seconds in found.items():
            row(f"{name}, {size} members: CPU", seconds * 1000, "ms")
        small, large = found.values()
        row(f"{name}: large / small", large / small, "×")


def fill_chat_page(campus: Campus, code: str) -> None:
    """Store as many published messages as a chat page shows."""
    with campus.app.app_context(), transaction() as session:
        ukm = session.scalars(select(Ukm).filter_by(code=code)).one()
        members = session.scalars(select(Membership.user_id).filter_by(ukm_id=ukm.id)).all()
        shared = {"ukm_id": ukm.id, "body": "Besok kita kumpul", "published_at": utcnow()}
        for n, member in zip(range(DEFAULT_PAGE), cycle(members), strict=False):
            own = {"user_id": member, "client_id": f"s{n}", "number": n + 1}
            session.execute(insert(ChatMessage), shared | own)
        ukm.last_number = DEFAULT_PAGE


def idle_share(campus: Campus) -> float:
    """Return the CPU seconds that the web processes take per second without a call."""
    processes = campus.children(campus.web)
    before = sum(map(cpu_seconds, processes))
    time.sleep(IDLE_SECONDS)
    return (sum(map(cpu_seconds, processes)) - before) / IDLE_SECONDS


def cpu_per_call(campus: Campus, size: int, cookies: list[str], call: Call, idle: float) -> float:
    """Return the CPU seconds of the web processes per call, without their idle load: the minimum of
    several rounds."""
    processes, rounds = campus.children(campus.web), []
    with requests.Session() as session:
        for turn in range(ROUNDS):
            before, began = sum(map(cpu_seconds, processes)), time.perf_counter()
            for n in range(CALLS_A_ROUND):
                session.headers["Cookie"] = f"myukm={cookies[n % min(SIZES)]}"
                call(session, f"{campus.url}/ukm", f"U{size}", f"{turn}-{n}")
            idle_cpu = idle * (time.perf_counter() - began)
            rounds.append((sum(map(cpu_seconds, processes)) - before - idle_cpu) / CALLS_A_ROUND)
    return min(rounds)


def without_valkey(campus: Campus, times: int) -> None:
    """Kill Valkey; print how long posting takes and when a listener receives the messages."""
    reader = StreamReader(campus.url, campus.log_in("friend"))
    campus.valkey.kill()
    sent: dict[str, float] = {}
    print_times("POST messages without Valkey", times, message_poster(campus, "b", sent))
    wait_until(lambda: sent.keys() <= received(reader).keys(), 20, "the listener received all")
    arrived = received(reader)
    late = [(arrived[client_id] - began) * 1000 for client_id, began in sent.items()]
    row("to a listener without Valkey, median", statistics.median(late), "ms")
    row("to a listener without Valkey, max", max(late), "ms")
    reader.close()


def received(reader: StreamReader) -> dict[str, float]:
    """Return the arrival time of each message by client_id."""
    events = [event for event in reader.events if event.type == "chat.message"]
    return {event.data["client_id"]: event.at for event in events}


def message_poster(campus: Campus, prefix: str, sent: dict[str, float]) -> Callable[[int], float]:
    """Return a function that posts a message, below the chat's rate limit, and returns the seconds.

    That function records the start of each POST in `sent`, by client_id: `prefix` and a number.
    """
    session = campus.log_in("member")

    def call(number: int) -> float:
        time.sleep(0.6)
        body = {"message": f"pesan {number}", "client_id": f"{prefix}{number}"}
        sent[body["client_id"]] = time.perf_counter()
        return timed(session, f"{campus.url}/ukm/ROBOTIK/messages", body, 201)

    return call


def timed(session: requests.Session, url: str, body: dict[str, str], status: int) -> float:
    """Post and return the seconds it took."""
    began = time.perf_counter()
    answer = session.post(url, json=body, timeout=30)
    seconds = time.perf_counter() - began
    assert answer.status_code == status, answer.text
    return seconds


if __name__ == "__main__":
    main()
