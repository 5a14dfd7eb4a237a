"""The faults that the harness injects. Each fault repairs what it broke, except that a wrong clock
stays wrong until the workers are restarted."""

import random
import signal
import threading
from collections.abc import Callable

import psutil
import redis
import requests
from sqlalchemy import func, select

from myukm.extensions import db
from myukm.models import Siswa
from tests.faults.campus import Campus, signal_all
from tests.support.waiting import wait_until

Fault = Callable[[Campus, random.Random, threading.Event], None]


def pause(ended: threading.Event, seconds: float) -> None:
    """Wait so many seconds, at most until the run has ended."""
    ended.wait(seconds)


def kill_one_worker_process(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """Kill -9 a lane, a queue's worker or the supervisor."""
    processes = campus.children(campus.worker)
    supervisor = min(processes, key=psutil.Process.create_time)
    victim = rng.choice(processes)
    signal_all([victim], signal.SIGKILL)
    pause(ended, rng.uniform(0, 3))
    if victim == supervisor:
        campus.worker.child.wait(30)  # its children end a moment later
        campus.start_worker()


def kill_all_workers(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """Kill -9 all worker processes and start them again after 0 to 8 s."""
    campus.worker.kill()
    pause(ended, rng.uniform(0, 8))
    campus.start_worker()


def freeze_the_workers(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """SIGSTOP for 2 to 25 s, then continue. A lane counts as dead after 15 s."""
    frozen = campus.children(campus.worker)
    signal_all(frozen, signal.SIGSTOP)
    pause(ended, rng.uniform(2, 25))
    signal_all(frozen, signal.SIGCONT)


def kill_web(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """Kill -9 the web server and start it again."""
    campus.web.kill()
    pause(ended, rng.uniform(0, 3))
    campus.start_web()
    wait_until(campus.web_answers, 60, "the web server is back")


def restart_valkey(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """Kill -9 Valkey and start it again with its data."""
    campus.restart_valkey(wipe=False)


def lose_valkey(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """Kill -9 Valkey and start it again without its data."""
    campus.restart_valkey(wipe=True)


def wipe_valkey(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """FLUSHALL while the program runs."""
    with redis.Redis.from_url(campus.valkey.url) as client:
        client.flushall()


def api_outage(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """The payment API resets connections, answers 500 or hangs for 1 to 10 s."""
    campus.simulator.set(outage=rng.choice(["reset", "500", "timeout"]))
    pause(ended, rng.uniform(1, 10))
    campus.simulator.set(outage=None)


def api_busy(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """The payment API answers 429 above a low rate."""
    campus.simulator.set(rate=rng.choice([5, 50]), retry_after=rng.choice(["1", "2", None]))
    pause(ended, rng.uniform(1, 6))
    campus.simulator.set(rate=None)


def api_garbage(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """The payment API's first answer about a fifth of the students is wrong."""
    kind = rng.choice(["garbage", "truncated", "wrong_student", "500", "reset"])
    campus.simulator.set(flaky={kind: 0.2})
    pause(ended, rng.uniform(1, 5))
    campus.simulator.set(flaky={})


def kill_database(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """Kill -9 PostgreSQL and start it again; do nothing with SQLite."""
    campus.restart_database()


def api_slow(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """The payment API answers after 2 to 6 s; its time-out here is 5 s."""
    usual = campus.simulator.state()["options"]["latency_ms"]
    campus.simulator.set(latency_ms="2000..6000")
    pause(ended, rng.uniform(1, 8))
    campus.simulator.set(latency_ms=usual)


def set_the_clock(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """Kill the workers and start them with a clock that is wrong by an hour or a day."""
    campus.worker.kill()
    seconds = rng.choice(["3600", "-3600", "86400", "-86400"])
    campus.start_worker("python", "-m", "tests.faults.wrong_clock", seconds, "worker.py")


def start_second_run(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """Start a second run, which the server refuses unless the first run has just ended.

    The second run has one student, because its answers count as repeated ones (`invariants.py`).
    """
    with campus.app.app_context():
        student = db.session.scalar(select(func.min(Siswa.idperson)))
    press(campus, "start", idperson=[student])


def pause_and_resume(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """Pause the run for 0 to 3 s."""
    press(campus, "pause")
    pause(ended, rng.uniform(0, 3))
    press(campus, "resume")


def cancel(campus: Campus, rng: random.Random, ended: threading.Event) -> None:
    """Cancel the run."""
    press(campus, "cancel")


def press(campus: Campus, action: str, **body: object) -> None:
    """Request an action of the sync until the server accepts (202) or refuses (409) it, as a person
    presses a button again after an error."""

    def is_answered() -> bool:
        url = f"{campus.url}/admin/sync-pembayaran/{action}"
        try:
            answer = campus.log_in("admin").post(url, json=body or None, timeout=20)
        except (requests.RequestException, AssertionError):
            return False
        return answer.status_code in (202, 409)

    wait_until(is_answered, 60, f"{action} is answered")


FAULTS: tuple[Fault, ...] = (
    kill_one_worker_process,
    kill_all_workers,
    freeze_the_workers,
    kill_web,
    restart_valkey,
    lose_valkey,
    wipe_valkey,
    api_outage,
    api_busy,
    api_garbage,
    api_slow,
    set_the_clock,
    kill_database,
    start_second_run,
    pause_and_resume,
)
