"""`worker.py` as a process: it serves all queues, restarts what dies, and stops warm."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from rq import Queue

from devtools.ports import any_free
from devtools.reaper import descendants
from devtools.simulator.client import Simulator
from devtools.valkey import start_valkey
from myukm.db.session import transaction
from myukm.models import Siswa
from myukm.ops import stats
from myukm.queues import counters, restart_counter
from myukm.queues.enqueue import enqueue
from myukm.queues.restricted_job import RestrictedJob
from tests.support.programs import ROOT, Program
from tests.support.waiting import wait_until
from tests.support.workers import (
    QUEUES,
    WORKER,
    answering_worker,
    gone,
    job_process,
    kill,
    pid_of,
    serving,
    supervisor,
    wait_serving,
    waiting,
)

Start = Callable[..., Program]
SLOW_JOB = "myukm.jobs.sync_pembayaran.sync_pembayaran_siswa"


@pytest.fixture
def worker(app: Flask, start: Start) -> Program:
    """A running `worker.py` that serves every queue."""
    program = start(*WORKER)
    wait_serving(app)
    return program


@pytest.fixture
def slow_api(settings: dict[str, str]) -> Iterator[Simulator]:
    """A payment API that takes longer than any test."""
    with Simulator(students=20, latency_ms=60_000) as server:
        settings["PEMBAYARAN_API_URL"] = server.url
        yield server


@pytest.fixture
def slow_job(app: Flask, slow_api: Simulator) -> str:
    """The id of a job that waits for the payment API."""
    with app.app_context():
        with transaction() as session:
            session.add(Siswa(idperson="1", nama="Siti"))
        job_id = enqueue(SLOW_JOB, "1")
    assert job_id
    return job_id


def test_it_serves_every_queue(app: Flask, worker: Program) -> None:
    for name in QUEUES:
        assert answering_worker(app, name).startswith(f"{name}.")


def test_it_serves_only_the_named_queues(app: Flask, start: Start) -> None:
    program = start(*WORKER, "default", "high")
    wait_serving(app, ["high", "default"])
    assert len(list(descendants(supervisor(program)))) == 3, "two queues and the periodic tasks"


@pytest.mark.parametrize(
    ("argv", "env", "said"),
    [
        (["nothing"], {}, "nothing: no such queue; there are high, default, sync-pembayaran"),
        ([], {"REDIS_URL": "localhost"}, "myukm: REDIS_URL: … harus diawali"),
        (
            [],
            {"SYNC_JOB_TIMEOUT": "soon", "MYUKM_LANG": "en"},
            "myukm: SYNC_JOB_TIMEOUT: 'soon' is not a whole number from 30 to 86400",
        ),
    ],
)
def test_wrong_arguments_and_settings_end_it_with_one_line(
    start: Start, argv: Any, env: Any, said: str
) -> None:
    program = start(*WORKER, *argv, **env)
    assert program.child.wait(20) == 2
    assert said in program.output().splitlines()[-1]


def test_a_burst_drains_the_queues_and_ends(app: Flask, start: Start, valkey: redis.Redis) -> None:
    with app.app_context():
        jobs = [enqueue("myukm.jobs.upkeep.ping", to=name) for name in QUEUES * 3]
    assert start(*WORKER, "--burst").child.wait(30) == 0
    assert [waiting(valkey, name) for name in QUEUES] == [[], [], []]
    results = (RestrictedJob(job, connection=valkey).latest_result() for job in jobs)
    assert all(result and result.return_value for result in results)


def test_a_burst_without_valkey_says_so(start: Start) -> None:
    program = start(*WORKER, "--burst", REDIS_URL=f"redis://127.0.0.1:{any_free()}/0")
    assert program.child.wait(30) == 5
    assert "Valkey does not answer" in program.output()


@pytest.mark.parametrize("name", QUEUES)
def test_a_killed_process_is_started_again(app: Flask, worker: Program, name: str) -> None:
    before = pid_of(app, name)
    kill(before, signal.SIGKILL)
    wait_until(lambda: name in serving(app) and pid_of(app, name) != before, 30, "a new process")
    assert answering_worker(app, name)


def test_it_stops_and_unregisters_its_workers(
    app: Flask, worker: Program, valkey: redis.Redis
) -> None:
    assert worker.stop(timeout=30) == 0
    assert valkey.smembers("rq:workers") == set()


@pytest.mark.timing("Ctrl-C stops within 5 s")
def test_ctrl_c_stops_it(app: Flask, worker: Program) -> None:
    kill(supervisor(worker), signal.SIGINT)
    assert worker.child.wait(5) == 0
    assert "Traceback" not in worker.output()


@pytest.mark.timing("no process is left after 5 s")
def test_its_processes_end_when_it_is_killed(app: Flask, settings: dict[str, str]) -> None:
    # Not a `Program`, because the reaper above each `Program` would kill the processes itself.
    with subprocess.Popen(
        [sys.executable, *WORKER[1:]], cwd=ROOT, env=os.environ | settings
    ) as program:
        wait_serving(app)
        children = list(descendants(program.pid))
        assert len(children) == len(QUEUES) + 1
        program.kill()
    wait_until(lambda: all(map(gone, children)), 5, "no process left")


def test_a_job_that_does_not_stop_is_requeued(
    app: Flask, slow_job: str, start: Start, valkey: redis.Redis
) -> None:
    program = start(*WORKER, "sync-pembayaran")
    wait_until(lambda: _status(valkey, slow_job) == "started", 30, "the job runs")
    kill(job_process(pid_of(app, "sync-pembayaran")), signal.SIGSTOP)
    assert program.stop(timeout=30) == 0
    assert waiting(valkey, "sync-pembayaran") == [slow_job]
    assert _status(valkey, slow_job) == "queued"


def test_a_killed_job_is_counted_as_failed(
    app: Flask, slow_job: str, start: Start, valkey: redis.Redis
) -> None:
    start(*WORKER, "sync-pembayaran")
    wait_until(lambda: _status(valkey, slow_job) == "started", 30, "the job runs")
    kill(job_process(pid_of(app, "sync-pembayaran")), signal.SIGKILL)
    wait_until(lambda: _status(valkey, slow_job) == "failed", 30, "the job failed")
    with app.app_context():
        assert counters.totals(["sync-pembayaran"]) == {"sync-pembayaran": {"failed": 1}}
        [failure] = stats.health()["latest_failures"]
    assert "terminated unexpectedly" in failure["error"]


def test_a_killed_workers_job_is_killed_too(
    app: Flask, slow_job: str, start: Start, valkey: redis.Redis
) -> None:
    start(*WORKER, "sync-pembayaran")
    wait_until(lambda: _status(valkey, slow_job) == "started", 30, "the job runs")
    pid = pid_of(app, "sync-pembayaran")
    job = job_process(pid)
    kill(pid, signal.SIGKILL)
    wait_until(lambda: gone(job), 30, "the job's process ended")
    wait_serving(app, ["sync-pembayaran"])


def test_a_foreign_job_is_not_run(
    app: Flask, worker: Program, valkey: redis.Redis, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    for name in QUEUES:
        job = Queue(name, connection=valkey).enqueue("os.system", f"touch {trace}")
        wait_until(lambda job=job: _status(valkey, job.id) == "failed", 30, "refused")  # type: ignore[misc]
        assert answering_worker(app, name)
    assert not trace.exists()


def test_it_survives_a_restart_and_a_loss_of_valkeys_data(
    app: Flask, settings: dict[str, str], start: Start, tmp_path: Path
) -> None:
    port = any_free()
    url = f"redis://127.0.0.1:{port}/0"
    client = redis.Redis.from_url(url)
    with start_valkey(tmp_path / "own", port):
        program = start(*WORKER, REDIS_URL=url)
        wait_until(lambda: client.scard("rq:workers") == len(QUEUES), 30, "workers")
        names = client.smembers("rq:workers")
    with start_valkey(tmp_path / "own", port):
        for name in QUEUES:
            job = Queue(name, connection=client).enqueue("myukm.jobs.upkeep.ping")
            wait_until(lambda job=job: job.latest_result(), 30, f"{name} answers again")  # type: ignore[misc]
        assert client.smembers("rq:workers") == names
        client.flushall()
        wait_until(lambda: client.smembers("rq:workers") == names, 30, "registered again")
    assert "Traceback" not in program.output()
    client.close()


def test_a_restart_on_request_brings_new_processes(
    app: Flask, worker: Program, valkey: redis.Redis
) -> None:
    before = {name: pid_of(app, name) for name in QUEUES}
    parent = supervisor(worker)

    def renewed() -> bool:
        return serving(app) == set(QUEUES) and all(pid_of(app, n) != before[n] for n in QUEUES)

    restart_counter.request(valkey)
    wait_until(renewed, 60, "new processes")
    assert supervisor(worker) == parent


# Reports that the models are being loaded, then waits until the test lets that go on.
SLOW_LOADING = """
import pathlib, sys, time

class SlowLoading:
    def find_spec(self, name, *_):
        if name == "myukm.models":
            folder = pathlib.Path(__file__).parent
            with (folder / "loading").open("a") as trace:
                trace.write("loading\\n")
            until = time.monotonic() + 60
            while not (folder / "go").exists() and time.monotonic() < until:
                time.sleep(0.05)

sys.meta_path.insert(0, SlowLoading())
"""


def test_a_restart_that_is_requested_while_the_code_is_loaded_is_not_missed(
    app: Flask, settings: dict[str, str], valkey: redis.Redis, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW_LOADING)
    trace = tmp_path / "loading"
    slow = {**settings, "PYTHONPATH": str(tmp_path)}
    # Not forked, because a fork has loaded the code already.
    program = Program(tmp_path / "worker.log", slow, *WORKER, fork=False)
    try:
        wait_until(trace.exists, 30, "the code is being loaded")
        restart_counter.request(valkey)
        (tmp_path / "go").touch()
        wait_until(lambda: len(trace.read_text().splitlines()) == 2, 60, "the code is loaded anew")
    finally:
        program.kill()


def _status(client: redis.Redis, job_id: str) -> str:
    return (client.hget(RestrictedJob.key_for(job_id), "status") or b"").decode()
