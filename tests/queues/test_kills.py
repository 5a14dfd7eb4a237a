"""Kill -9 during a pause, a retry or a discard loses, doubles or forgets no job."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from flask import Flask
from rq import Queue
from rq.job import Job

import config
from devtools.valkey import Valkey, start_valkey
from myukm import create_app
from myukm.domain import queue_pauses
from myukm.ops.failure_work import FailureWorker
from myukm.queues import pauses
from myukm.queues.enqueue import get_queue
from myukm.queues.failures import actions, index, keys
from tests.queues.test_failures import fail
from tests.queues.test_pauses import parked, pause, pings, plain_ping, status
from tests.queues.test_queue_workers import waits_for_jobs
from tests.support.programs import Program
from tests.support.waiting import wait_until
from tests.support.workers import WORKER, kill, wait_serving

Start = Callable[..., Program]
MANY, KILLS = 6000, 3


def fail_many(app: Flask, valkey: redis.Redis) -> list[str]:
    """Store thousands of failed jobs of one kind, and return their ids in order."""
    [first] = fail(valkey, "KeyError: 1")
    fields = valkey.hgetall(Job.key_for(first))
    ids = [f"{number:05}" for number in range(MANY)]
    with valkey.pipeline(transaction=False) as pipe:
        for number, job_id in enumerate(ids):
            pipe.hset(Job.key_for(job_id), mapping=fields)
            pipe.zadd(keys.registry("default"), {job_id: time.time() + 1e6 + number})
        pipe.execute()
    with app.app_context():
        index.refresh_all("default")
    return [first, *ids]


def done(valkey: redis.Redis) -> int:
    """Return how many failed jobs the action has retried or discarded."""
    return int(valkey.hget(keys.work("default"), "done") or 0)


def wait_for_done(valkey: redis.Redis, count: int) -> None:
    wait_until(lambda: done(valkey) >= count, 30, f"{count} are dealt with")


def in_another_process(app: Flask) -> int:
    """Continue the action in another process, as the leader does; return its id."""
    pid = os.fork()
    if pid == 0:
        try:
            with app.app_context():
                while actions.go_on("default"):
                    pass
        finally:
            os._exit(0)
    return pid


@pytest.mark.parametrize("action", [actions.RETRY, actions.DISCARD])
def test_actions_on_failed_jobs_survive_kills(app: Flask, valkey: redis.Redis, action: str) -> None:
    """The leader continues after the portions that are done, and counts each job once."""
    ids, draw = fail_many(app, valkey), random.Random(action)
    with app.app_context():
        actions.begin("default", action)
    left = []
    for _ in range(KILLS):
        count = min(done(valkey) + draw.randint(1, MANY // 10), MANY)
        worker = in_another_process(app)
        wait_for_done(valkey, count)
        kill(worker, signal.SIGKILL)
        os.waitpid(worker, 0)
        left.append(len(ids) - done(valkey))
    assert any(left), "no kill interrupted the action"
    leader = FailureWorker()
    while not valkey.hexists(keys.work("default"), "ended"):
        with app.app_context():
            leader.run()
    assert done(valkey) == len(ids)
    assert not valkey.exists(keys.registry("default"))
    with app.app_context():
        waiting = get_queue("default").get_job_ids()
    if action == actions.RETRY:
        assert sorted(waiting) == sorted(ids), "each once"
    else:
        assert waiting == []
        assert not valkey.exists(*map(Job.key_for, ids))


def test_pausing_and_resuming_survives_kills(app: Flask, start: Start, valkey: redis.Redis) -> None:
    """Commands are killed at random moments; afterwards Valkey agrees with the database."""
    ids, draw = pings(app, 50), random.Random(7)
    for turn in range(8):
        command = start("flask", "queue", "pause" if turn % 2 == 0 else "resume", "high")
        command.child.wait(20) if turn > 5 else time.sleep(draw.uniform(0.05, 0.8))
        command.kill()
        with app.app_context():
            queue_pauses.PauseAsserter().run()
            is_paused = bool(queue_pauses.paused())
            if turn > 5:  # this command was not killed
                assert is_paused is (turn % 2 == 0)
            assert pauses.is_paused(valkey, "high") is is_paused
            assert get_queue("high").get_job_ids() == ids
        lists = [valkey.llen("myukm:parking:high"), valkey.llen("rq:queue:high")]
        assert lists == ([len(ids), 0] if is_paused else [0, len(ids)])


def test_a_pause_survives_a_crash_of_valkey(
    killable_valkey: Valkey, settings: dict[str, str], tmp_path: Path, start: Start
) -> None:
    settings["REDIS_URL"] = killable_valkey.url
    app = create_app(config.load(settings))
    [job_id] = pings(app, 1)
    pause(app)
    start("rq", "worker", "high")
    # Plain RQ survives a restart of Valkey only while it waits for jobs.
    wait_until(lambda: waits_for_jobs(app), 30, "the worker waits for jobs")
    killable_valkey.kill()
    with start_valkey(tmp_path / "valkey", killable_valkey.port) as again:
        client = redis.Redis.from_url(again.url)
        with app.app_context():
            wait_until(client.ping, 30)
            queue_pauses.PauseAsserter().run()
        assert parked(client) == [job_id]
        wait_serving(app, ["high"])
        later = plain_ping(client)
        wait_until(lambda: parked(client) == [job_id, later], 30, "the later job is parked, too")
        assert {status(client, each) for each in (job_id, later)} == {"queued"}


def test_a_foreign_function_is_not_run_while_its_queue_is_paused(
    app: Flask, start: Start, valkey: redis.Redis, tmp_path: Path
) -> None:
    """`worker.py` is waiting for jobs when another program's comes. Plain RQ would run it."""
    pause(app)
    start(*WORKER, "high")
    wait_serving(app, ["high"])
    trace = tmp_path / "ran"
    job = Queue("high", connection=valkey).enqueue("os.mkdir", str(trace))
    wait_until(lambda: parked(valkey) == [job.id], 30, "it goes back")
    assert status(valkey, job.id) == "queued"
    assert not trace.exists()
