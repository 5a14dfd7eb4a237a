"""Jobs whose worker died at the wrong moment come back or are recorded as failed."""

from collections.abc import Callable

import pytest
import redis
from flask import Flask
from flask.testing import FlaskCliRunner
from rq import Queue

from myukm.ops import lost_jobs
from myukm.ops.job_recovery import OrphanRecovery
from myukm.queues.enqueue import enqueue
from myukm.queues.restricted_job import RestrictedJob
from tests.ops.test_doctor import examine, wait_finding

PING = "myukm.jobs.upkeep.ping"


@pytest.fixture
def recover(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    monkeypatch.setattr("myukm.ops.job_recovery.RECOVER_SECONDS", 0)
    recovery = OrphanRecovery()

    def run() -> None:
        with app.app_context():
            recovery.recover()

    return run


def test_a_job_taken_and_never_begun_comes_back_first(
    app: Flask, valkey: redis.Redis, recover: Callable[[], None]
) -> None:
    high = Queue("high", connection=valkey)
    with app.app_context():
        lost, next_one = (enqueue(PING, to="high") for _ in range(2))
    valkey.lmove(high.key, high.intermediate_queue_key)
    recover()
    assert high.get_job_ids() == [next_one], "a worker may just be about to begin it"
    recover()
    assert high.get_job_ids() == [lost, next_one]
    assert valkey.llen(high.intermediate_queue_key) == 0


def test_a_job_at_work_is_left_alone(
    app: Flask, valkey: redis.Redis, recover: Callable[[], None]
) -> None:
    high = Queue("high", connection=valkey)
    with app.app_context():
        job_id = enqueue(PING, to="high")
    valkey.lmove(high.key, high.intermediate_queue_key)
    valkey.zadd(high.started_job_registry.key, {f"{job_id}:1": 1e12})
    recover()
    recover()
    assert high.get_job_ids() == []
    assert high.intermediate_queue.get_job_ids() == [job_id]
    assert high.started_job_registry.get_job_ids(cleanup=False) == [job_id]
    assert high.failed_job_registry.get_job_ids(cleanup=False) == []


def start_and_die(queue: Queue, job_id: str) -> None:
    """Leave the next job of the queue as a worker does that dies in it."""
    valkey = queue.connection
    valkey.lpop(queue.key)
    valkey.hset(RestrictedJob.key_for(job_id), "status", "started")
    valkey.zadd(queue.started_job_registry.key, {f"{job_id}:1": 1})


def test_a_job_that_died_with_its_worker_is_recorded_as_failed(
    app: Flask, valkey: redis.Redis, recover: Callable[[], None]
) -> None:
    high = Queue("high", connection=valkey)
    with app.app_context():
        job_id = str(enqueue(PING, to="high"))
    start_and_die(high, job_id)
    recover()
    assert high.failed_job_registry.get_job_ids() == [job_id]
    assert valkey.zcard(high.started_job_registry.key) == 0


def test_an_unreadable_job_fails_and_stops_no_other_from_being_recorded(
    app: Flask, valkey: redis.Redis, recover: Callable[[], None]
) -> None:
    high = Queue("high", connection=valkey)
    with app.app_context():
        unreadable, lost = (str(enqueue(PING, to="high")) for _ in range(2))
    for job_id in (unreadable, lost):
        start_and_die(high, job_id)
    valkey.hset(RestrictedJob.key_for(unreadable), "created_at", "rusak")
    recover()
    failed = high.failed_job_registry.get_job_ids(cleanup=False)
    assert sorted(failed) == sorted([unreadable, lost])
    assert valkey.zcard(high.started_job_registry.key) == 0
    assert "UnreadableJob" in wait_finding(app, "jobs_failed")["message"]


def test_a_deleted_job_that_was_taken_is_forgotten(
    app: Flask, valkey: redis.Redis, recover: Callable[[], None]
) -> None:
    high = Queue("high", connection=valkey)
    valkey.lpush(high.intermediate_queue_key, "ghost")
    recover()
    recover()
    assert valkey.llen(high.intermediate_queue_key) == valkey.llen(high.key) == 0


def test_a_job_that_is_in_no_list_is_put_back(
    app: Flask, valkey: redis.Redis, recover: Callable[[], None]
) -> None:
    high = Queue("high", connection=valkey)
    with app.app_context():
        _young, lost = (str(enqueue(PING, to="high")) for _ in range(2))
    valkey.delete(high.key)
    valkey.hset(RestrictedJob.key_for(lost), "enqueued_at", "2026-01-01T00:00:00.000000Z")
    recover()
    assert high.get_job_ids() == [lost], "the young one may be on its way into a list"


def test_a_job_that_is_begun_meanwhile_is_not_put_back(
    app: Flask, valkey: redis.Redis, recover: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker takes the job after its state was read and before the lists are read."""
    high = Queue("high", connection=valkey)
    with app.app_context():
        old = str(enqueue(PING, to="high"))
    valkey.hset(RestrictedJob.key_for(old), "enqueued_at", "2026-01-01T00:00:00.000000Z")
    listed = lost_jobs._listed

    def begin_first(name: str) -> set[str]:
        valkey.lpop(high.key)
        valkey.hset(RestrictedJob.key_for(old), "status", "started")
        return listed(name)

    monkeypatch.setattr(lost_jobs, "_listed", begin_first)
    recover()
    assert high.get_job_ids() == []


def test_many_failed_jobs_cost_few_commands(
    app: Flask, valkey: redis.Redis, recover: Callable[[], None]
) -> None:
    with app.app_context():
        lost = str(enqueue(PING, to="high"))
    valkey.lpop(Queue("high", connection=valkey).key)
    valkey.hset(RestrictedJob.key_for(lost), "enqueued_at", "2026-01-01T00:00:00.000000Z")
    failed = Queue("high", connection=valkey).failed_job_registry.key
    with valkey.pipeline() as pipe:
        for number in range(500):
            pipe.hset(RestrictedJob.key_for(f"f{number}"), "status", "failed")
            pipe.zadd(failed, {f"f{number}": 1e12})
        pipe.execute()
    recover()  # opens connections
    before = valkey.info("stats")["total_commands_processed"]
    recover()
    assert valkey.info("stats")["total_commands_processed"] - before < 100
    assert Queue("high", connection=valkey).get_job_ids() == [lost]


def test_a_job_that_kills_its_workers_fails(
    app: Flask, valkey: redis.Redis, recover: Callable[[], None]
) -> None:
    """RQ's worker dies of an invalid date in a job."""
    high = Queue("high", connection=valkey)
    with app.app_context():
        job_id = str(enqueue(PING, to="high"))
    valkey.hset(RestrictedJob.key_for(job_id), "created_at", "rusak")
    for _ in range(3):
        valkey.lmove(high.key, high.intermediate_queue_key)
        recover()
        recover()
    assert high.failed_job_registry.get_job_ids(cleanup=False) == [job_id]
    assert high.get_job_ids() == []
    assert "PoisonJob" in wait_finding(app, "jobs_failed")["message"]


def test_the_command_heals_at_once_and_says_what(app: Flask, valkey: redis.Redis) -> None:
    high = Queue("high", connection=valkey)
    with app.app_context():
        taken = str(enqueue(PING, to="high"))
    valkey.lmove(high.key, high.intermediate_queue_key)
    valkey.lpush(high.intermediate_queue_key, "ghost")
    said = FlaskCliRunner(app).invoke(args=("queue", "doctor", "--fix")).output
    assert f"Pekerjaan {taken} dikembalikan ke antrian high." in said
    assert "ghost, yang sudah dihapus, dibuang dari antrian high." in said
    assert high.get_job_ids() == [taken]
    again = FlaskCliRunner(app).invoke(args=("queue", "doctor", "--fix")).output
    assert again.startswith("Tidak ada yang perlu disembuhkan.")


def test_the_command_says_that_a_job_which_kills_its_workers_has_failed(
    app: Flask, valkey: redis.Redis
) -> None:
    high = Queue("high", connection=valkey)
    with app.app_context():
        job_id = enqueue(PING, to="high")
    for _ in range(lost_jobs.MAX_DEATHS):
        valkey.lmove(high.key, high.intermediate_queue_key)
        said = FlaskCliRunner(app).invoke(args=("queue", "doctor", "--fix")).output
    assert f"Pekerjaan {job_id} dari antrian high digagalkan" in said
    assert "dikembalikan" not in said


def test_the_command_says_that_a_job_failed_whose_worker_died_in_it(
    app: Flask, valkey: redis.Redis
) -> None:
    high = Queue("high", connection=valkey)
    with app.app_context():
        ended, job_id = (str(enqueue(PING, to="high")) for _ in range(2))
    start_and_die(high, ended)
    valkey.hset(RestrictedJob.key_for(ended), "status", "finished")
    start_and_die(high, job_id)
    said = FlaskCliRunner(app).invoke(args=("queue", "doctor", "--fix")).output
    assert f"Pekerjaan {job_id} dari antrian high digagalkan" in said
    assert ended not in said
    assert high.failed_job_registry.get_job_ids(cleanup=False) == [job_id]


def test_a_scheduled_job_that_nobody_queues_is_named(app: Flask, valkey: redis.Redis) -> None:
    key = Queue("high", connection=valkey).scheduled_job_registry.key
    now = int(valkey.time()[0])
    valkey.zadd(key, {"later": now + 60})
    assert "scheduled_overdue" not in str(examine(app))
    valkey.zadd(key, {"late": now - 60})
    assert wait_finding(app, "scheduled_overdue")["message"].startswith("1 pekerjaan terjadwal")
