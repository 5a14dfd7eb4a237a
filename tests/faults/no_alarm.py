"""Heavy use without a fault causes no alert.

    python -m tests.faults.no_alarm [--minutes 30] [--postgresql]

Twenty people chat, and runs of 6,000 students follow each other. After a fifth of the time 1,500
jobs are queued at once. From two fifths to three fifths the payment API takes some four seconds for
each answer. After four fifths everything is restarted. Each alert is a false alarm, and so is each
finding outside the restart, except `queue_slow`, which the 1,500 jobs cause.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import requests

from devtools.valkey import start_valkey
from myukm.ops import doctor
from myukm.queues.enqueue import enqueue
from tests.faults.campus import Campus
from tests.faults.chat_round import CODES, SENDERS, populate
from tests.faults.chatters import MessageSender, StreamClient
from tests.faults.sync_round import import_students
from tests.support.postgresql import PostgreSQL
from tests.support.receiver import Receiver, receiving
from tests.support.servers import open_folder
from tests.support.waiting import wait_until

STUDENTS, PINGS, LISTENERS = 6000, 1500, 6
PING = "myukm.jobs.upkeep.ping"
USUAL_MS, SLOW_MS = "200..600", "3500..4500"
EXPECTED_FINDINGS = {"queue_slow"}
POLL_SECONDS, RESTART_SECONDS, AFTER_RESTART_SECONDS = 1.0, 60.0, 20.0


class Observer(threading.Thread):
    """Runs the doctor every second and counts its findings, except while `restarting` is set."""

    def __init__(self, campus: Campus) -> None:
        super().__init__(daemon=True)
        self.campus = campus
        self.stopped, self.restarting = threading.Event(), threading.Event()
        self.examinations, self.counts = 0, Counter[str]()
        self.messages: dict[str, str] = {}
        self.problems: list[str] = []

    def run(self) -> None:
        """Observe until `stopped` is set."""
        while not self.stopped.wait(POLL_SECONDS):
            with self.campus.app.app_context():
                findings = doctor.examine().findings
            self.examinations += 1
            if self.restarting.is_set():
                continue
            for finding in findings:
                self.counts[finding.code] += 1
                self.messages.setdefault(finding.code, str(finding.message))


def play(campus: Campus, receiver: Receiver, seconds: float) -> list[str]:
    """Use the program for `seconds`; return the false alarms."""
    import_students(campus)
    sessions = populate(campus)
    observer, until = Observer(campus), time.monotonic() + seconds
    senders = [
        MessageSender(campus.url, f"t{n}", sessions[n::SENDERS], CODES) for n in range(SENDERS)
    ]
    clients = [StreamClient(campus.url, session, CODES) for session in sessions[:LISTENERS]]
    runs = threading.Thread(target=keep_running, args=(campus, observer.stopped), daemon=True)
    for thread in (*clients, *senders, runs, observer):
        thread.start()
    scenes: list[tuple[float, Callable[[], object]]] = [
        (0.2, lambda: queue_pings(campus)),
        (0.4, lambda: campus.simulator.set(latency_ms=SLOW_MS)),
        (0.6, lambda: campus.simulator.set(latency_ms=USUAL_MS)),
        (0.8, lambda: restart_everything(campus, observer)),
    ]
    for share, scene in scenes:
        time.sleep(max(0.0, until - (1 - share) * seconds - time.monotonic()))
        print(f"{share:.0%} of the time, load {os.getloadavg()[0]:.0f}", flush=True)
        scene()
    time.sleep(max(0.0, until - time.monotonic()))
    observer.stopped.set()
    for sender in senders:
        sender.stopped.set()
    for client in clients:
        client.stopped.set()
    messages = sum(len(sender.accepted) for sender in senders)
    print(f"{observer.examinations} examinations, {messages} messages")
    return false_alarms(observer, receiver)


def false_alarms(observer: Observer, receiver: Receiver) -> list[str]:
    """Return the alerts and findings that have no cause."""
    alerts = Counter(each["code"] for each in receiver.got if each["kind"] in ("new", "worse"))
    texts = {each["code"]: each["message"] for each in receiver.got}
    sent = [
        f"alert {code}, {n} times: {texts[code]}" for code, n in alerts.items() if is_false(code)
    ]
    seen = [
        f"finding {code} in {count} examinations: {observer.messages[code]}"
        for code, count in observer.counts.items()
        if is_false(code)
    ]
    return [*observer.problems, *sent, *seen]


def is_false(code: str) -> bool:
    """Return whether a finding has no cause in what is played."""
    return code not in EXPECTED_FINDINGS


def keep_running(campus: Campus, stopped: threading.Event) -> None:
    """Start a run whenever none is live."""
    while not stopped.wait(2):
        try:
            session = campus.log_in("admin")
            while not stopped.wait(2):
                session.post(f"{campus.url}/admin/sync-pembayaran/start", timeout=10)
        except (requests.RequestException, AssertionError):
            continue


def queue_pings(campus: Campus) -> None:
    """Queue many small jobs at once."""
    with campus.app.app_context():
        for _ in range(PINGS):
            enqueue(PING, to="default")


def restart_everything(campus: Campus, observer: Observer) -> None:
    """Stop web, workers and Valkey in order, and start them again."""
    observer.restarting.set()
    campus.web.stop()
    campus.worker.stop()
    campus.valkey.stop()
    campus.valkey = start_valkey(campus.folder / "valkey", campus.valkey_port)
    campus.start_worker()
    campus.start_web()
    try:
        wait_until(campus.web_answers, RESTART_SECONDS, "the web server answers after the restart")
    except AssertionError as error:
        observer.problems.append(str(error))
    time.sleep(AFTER_RESTART_SECONDS)
    observer.restarting.clear()


def main() -> int:
    """Play; return 1 if there was a false alarm."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, open_folder() as folder, receiving() as receiver:
        server = PostgreSQL(folder) if args.postgresql else None
        os.environ["ALERT_WEBHOOK_URL"] = receiver.url
        campus = Campus(Path(name), server, students=STUDENTS, latency_ms=USUAL_MS)
        try:
            found = play(campus, receiver, args.minutes * 60)
            print("\n".join([*found, campus.logs()]) if found else "no false alarm")
        finally:
            campus.stop()
            if server:
                server.child.stop(5)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
