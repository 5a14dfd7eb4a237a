"""The faults that the harness injects; each leaves the campus repaired, as an operator would."""

import random
import signal
import threading
from collections.abc import Callable

import psutil
import redis
import requests

from tests.faults.campus import Campus
from tests.support.waiting import wait_until

Fault = Callable[[Campus, random.Random, threading.Event], None]


def pause(ended: threading.Event, seconds: float) -> None:
    """Let a fault last; the end of the run cuts it short."""
    ended.wait(seconds)


def kill_one_worker_process(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """Kill -9 a lane, a queue's worker or the parent, whichever the draw hits."""
    victim = draw.choice(campus.children(campus.worker))
    try:
        is_parent = victim.ppid() == campus.worker.child.pid
        victim.kill()
    except psutil.NoSuchProcess:
        return
    pause(ended, draw.uniform(0, 3))
    if is_parent:
        campus.worker.child.wait(30)  # its children die with it, but not in the same moment
        campus.start_worker()


def kill_all_workers(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """Kill -9 the whole tree; a new one comes after a while."""
    campus.worker.kill()
    pause(ended, draw.uniform(0, 8))
    campus.start_worker()


def freeze_the_workers(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """Stop all worker processes so long that they count as dead, then let them go on."""
    frozen = campus.children(campus.worker)
    for process in frozen:
        process.send_signal(signal.SIGSTOP)
    pause(ended, draw.uniform(2, 25))
    for process in frozen:
        try:
            process.send_signal(signal.SIGCONT)
        except psutil.NoSuchProcess:
            continue


def kill_web(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """Kill -9 the web server and start it again."""
    campus.web.kill()
    pause(ended, draw.uniform(0, 3))
    campus.start_web()
    wait_until(campus.web_answers, 60, "the web server is back")


def restart_valkey(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """Kill -9 Valkey; it comes back with its data."""
    campus.restart_valkey(wipe=False)


def lose_valkey(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """Kill -9 Valkey; it comes back with nothing."""
    campus.restart_valkey(wipe=True)


def wipe_valkey(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """FLUSHALL under the running program."""
    with redis.Redis.from_url(campus.valkey.url) as client:
        client.flushall()


def api_outage(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """The payment API is gone, answers 500 or hangs, for a while."""
    campus.simulator.set(outage=draw.choice(["reset", "500", "timeout"]))
    pause(ended, draw.uniform(1, 10))
    campus.simulator.set(outage=None)


def api_busy(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """The payment API answers 429 above a low rate."""
    campus.simulator.set(rate=draw.choice([5, 50]), retry_after=draw.choice(["1", "2", None]))
    pause(ended, draw.uniform(1, 6))
    campus.simulator.set(rate=None)


def api_garbage(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """Some answers are nonsense the first time they are asked for."""
    kind = draw.choice(["garbage", "truncated", "wrong_student", "500", "reset"])
    campus.simulator.set(flaky={kind: 0.2})
    pause(ended, draw.uniform(1, 5))
    campus.simulator.set(flaky={})


def kill_database(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """Kill -9 PostgreSQL and start it again (nothing with SQLite)."""
    campus.restart_database()


def api_slow(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """The payment API takes its time, up to beyond our patience, then is as it was."""
    usual = campus.simulator.state()["options"]["latency_ms"]
    campus.simulator.set(latency_ms="2000..6000")
    pause(ended, draw.uniform(1, 8))
    campus.simulator.set(latency_ms=usual)


def set_the_clock(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """The workers are killed and come back with a clock that is an hour, or a day, wrong."""
    campus.worker.kill()
    seconds = draw.choice(["3600", "-3600", "86400", "-86400"])
    campus.start_worker("python", "-m", "tests.faults.wrong_clock", seconds, "worker.py")


def start_again(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """Somebody presses the button a second time: refused."""
    if not ended.is_set():
        answer = campus.log_in("bendahara").post(
            f"{campus.url}/admin/sync-pembayaran/start", timeout=20
        )
        assert answer.status_code in (409, 503) or ended.is_set(), answer.text


def pause_and_resume(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """Somebody pauses the run and lets it go on."""
    session = campus.log_in("admin")
    for action in ("pause", "resume"):
        try:
            session.post(f"{campus.url}/admin/sync-pembayaran/{action}", timeout=20)
        except requests.RequestException:
            continue
        pause(ended, draw.uniform(0, 3))


def cancel(campus: Campus, draw: random.Random, ended: threading.Event) -> None:
    """Somebody cancels the run; pressed again until the server takes it, as a person would."""

    def taken() -> bool:
        try:
            url = f"{campus.url}/admin/sync-pembayaran/cancel"
            return campus.log_in("admin").post(url, timeout=20).status_code in (202, 409)
        except (requests.RequestException, AssertionError):
            return False

    wait_until(taken, 30, "the cancel is accepted")


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
    start_again,
    pause_and_resume,
)
