"""Failed jobs by kind: the index follows RQ's registry; actions on many jobs work in portions."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from flask import Flask
from rq import Queue
from rq.job import Job
from rq.results import Result

from myukm.domain import queue_pauses
from myukm.domain.actor import Actor
from myukm.errors import Conflict, NotFound
from myukm.ops.failure_work import FailureWorker
from myukm.queues import failed_jobs
from myukm.queues.enqueue import enqueue, get_queue
from myukm.queues.failures import actions, groups, index
from myukm.queues.failures.kinds import kind
from myukm.queues.jobs import FAILURE_SECONDS
from tests.support.programs import Program
from tests.support.waiting import wait_until
from tests.support.workers import WORKER, wait_serving

Start = Callable[..., Program]
PING = "myukm.jobs.upkeep.ping"


def fail(valkey: redis.Redis, error: str, count: int = 1, queue: str = "default") -> list[str]:
    """Let jobs fail as a plain RQ worker does, and return their ids."""
    source = Queue(queue, connection=valkey)
    made = [source.create_job(PING, description="ping()") for _ in range(count)]
    for job in made:
        job.save()
        job.set_status("failed")
        Result.create_failure(job, 1000, f"Traceback (most recent call last):\n  …\n{error}")
        valkey.zadd(source.failed_job_registry.key, {job.id: time.time() + FAILURE_SECONDS})
    return [job.id for job in made]


def status(valkey: redis.Redis, job_id: str) -> str:
    return str(Job(job_id, connection=valkey).get_status().value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("KeyError: 'S1'", "KeyError: 'S2'", True),
        ("ValueError: row 12 of 0x7f3a", "ValueError: row 99 of 0x11aa", True),
        ("ValueError: a", "KeyError: a", False),
        ("OSError: no such file", "OSError: no such host", False),
    ],
)
def test_the_same_error_about_another_thing_is_the_same_kind(
    app: Flask, one: str, other: str, same: bool
) -> None:
    with app.app_context():
        assert (kind("ping()", one) == kind("ping()", other)) is same
        assert kind("myukm.jobs.upkeep.ping()", one) == kind("ping(1, 2)", one)
        assert kind("pong()", one) != kind("ping()", one)


def test_failures_are_grouped_with_first_last_and_an_example(
    app: Flask, valkey: redis.Redis
) -> None:
    keys = fail(valkey, "KeyError: 'S1'", 3)
    [other] = fail(valkey, "ValueError: no", queue="high")
    with app.app_context():
        FailureWorker().run()
        first, second = groups.all_groups()
        assert (first.count, first.queue, first.kind) == (3, "default", ("ping", "KeyError: '…'"))
        assert first.first_at <= first.last_at
        assert first.example in keys
        assert (second.count, second.example) == (1, other)
        assert {row["id"] for row in groups.rows(first)} == set(keys)
        assert groups.ungrouped("default") == 0


def test_jobs_that_left_the_registry_leave_the_index(app: Flask, valkey: redis.Redis) -> None:
    first, second = fail(valkey, "KeyError: 1", 2)
    with app.app_context():
        index.refresh_all("default")
        valkey.zrem("rq:failed:default", first)
        index.refresh_all("default")
        [group] = groups.all_groups()
        assert (group.count, group.example) == (1, second)


def test_an_index_is_up_to_date_while_it_has_exactly_the_failed_jobs(
    app: Flask, valkey: redis.Redis
) -> None:
    with app.app_context():
        assert index.is_up_to_date("default")
        first, _second = fail(valkey, "KeyError: 1", 2)
        assert not index.is_up_to_date("default")
        index.refresh_all("default")
        assert index.is_up_to_date("default")
        valkey.zrem("rq:failed:default", first)
        assert not index.is_up_to_date("default")
        fail(valkey, "KeyError: 2")
        assert not index.is_up_to_date("default"), "one went and another came"


def test_errors_beyond_the_maximum_of_groups_share_one(
    app: Flask, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MAX_GROUPS", 2)
    for letter in "abcde":
        fail(valkey, f"ValueError: {letter}")
    with app.app_context():
        index.refresh_all("default")
        assert sorted(group.count for group in groups.all_groups()) == [1, 1, 3]
        actions.begin("default", actions.DISCARD)
        FailureWorker().run()
        fail(valkey, "ValueError: f")
        index.refresh_all("default")
        assert [group.kind.error for group in groups.all_groups()] == ["ValueError: f"]


@pytest.mark.parametrize("action", [actions.RETRY, actions.DISCARD])
def test_an_action_on_a_group_leaves_other_groups_unchanged(
    app: Flask, valkey: redis.Redis, action: str
) -> None:
    wanted, others = fail(valkey, "KeyError: 1", 3), fail(valkey, "ValueError: no", 2)
    with app.app_context():
        index.refresh_all("default")
        group = groups.all_groups()[0]
        actions.begin("default", action, group.id)
        with pytest.raises(Conflict):
            actions.begin("default", action)
        FailureWorker().run()
        work = actions.of_queue("default")
        assert work == ("default", action, group.id, 3, 3, True)
        assert [each.count for each in groups.all_groups()] == [2]
        waiting = get_queue("default").get_job_ids()
        assert sorted(waiting) == (sorted(wanted) if action == actions.RETRY else [])
        if action == actions.RETRY:
            assert {status(valkey, job_id) for job_id in wanted} == {"queued"}
        else:
            assert not valkey.exists(*map(Job.key_for, wanted))
        assert {status(valkey, job_id) for job_id in others} == {"failed"}
        actions.begin("default", action)


def test_of_two_actions_that_begin_at_the_same_moment_one_is_refused(
    app: Flask, valkey: redis.Redis
) -> None:
    fail(valkey, "KeyError: 'a'", 3)
    barrier = threading.Barrier(8)

    def begin(action: str) -> bool:
        with app.app_context():
            barrier.wait(10)
            try:
                actions.begin("default", action)
            except Conflict:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(begin, [actions.RETRY, actions.DISCARD] * 4))
    assert begun.count(True) == 1


def test_single_jobs_are_retried_and_discarded(app: Flask, valkey: redis.Redis) -> None:
    first, second = fail(valkey, "KeyError: 1", 2)
    with app.app_context():
        assert failed_jobs.retry([first]) == 1
        assert failed_jobs.discard([second]) == 1
        with pytest.raises(Conflict):
            failed_jobs.retry([first])
        for gone in (second, "no-such-job", "'"):
            with pytest.raises(NotFound):
                failed_jobs.retry([gone])
        assert get_queue("default").get_job_ids() == [first]


def test_retried_jobs_wait_while_their_queue_is_paused(app: Flask, valkey: redis.Redis) -> None:
    failed = fail(valkey, "KeyError: 1", 2)
    with app.app_context():
        queue_pauses.pause(Actor("Siti"), "default")
        assert failed_jobs.retry(failed) == 2
    assert not valkey.exists("rq:queue:default")
    assert valkey.llen("myukm:parking:default") == 2


def test_a_retried_job_that_fails_again_is_not_retried_for_ever(
    app: Flask, start: Start, valkey: redis.Redis
) -> None:
    with app.app_context():
        job_id = str(enqueue("myukm.jobs.presence.broadcast_online_status", 1, "one too many"))
    start(*WORKER, "default")
    wait_serving(app, ["default"])
    wait_until(lambda: valkey.zscore("rq:failed:default", job_id), 30, "it fails")
    with app.app_context():
        actions.begin("default", actions.RETRY)
        assert not actions.go_on("default")
        wait_until(lambda: valkey.xlen(Result.get_key(job_id)) == 2, 30, "it fails again")
        wait_until(lambda: valkey.zscore("rq:failed:default", job_id), 30, "it is listed again")
        assert not actions.go_on("default")
        work = actions.of_queue("default")
        assert work
        assert work.ended


def test_a_hundred_thousand_failures_are_cleared_within_seconds(
    app: Flask, valkey: redis.Redis
) -> None:
    source = Queue("default", connection=valkey)
    with valkey.pipeline(transaction=False) as pipe:
        for number in range(100_000):
            pipe.hset(Job.key_for(str(number)), "description", "ping()")
            pipe.zadd(source.failed_job_registry.key, {str(number): time.time() + FAILURE_SECONDS})
            if number % 10_000 == 0:
                pipe.execute()
        pipe.execute()
    with app.app_context():
        begun = time.monotonic()
        actions.begin("default", actions.DISCARD)
        while actions.go_on("default"):
            pass
        assert time.monotonic() - begun < 20
    assert not valkey.keys("rq:*")
