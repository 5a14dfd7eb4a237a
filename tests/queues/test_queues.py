"""Every queue is served, every job exists, and jobs contain only ids."""

import ast
import inspect
import pickle
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from rq import Callback, Queue
from rq.exceptions import DeserializationError
from rq.job import Job

import worker
from myukm.queues.enqueue import enqueue
from myukm.queues.jobs import JOBS, QUEUES
from myukm.queues.restricted_job import JobNotAllowedError, PrimitivePickle, RestrictedJob
from tests.support.pickles import Evil
from tests.support.programs import ROOT, Program
from tests.support.without_valkey import lose_valkey

SOURCE = ROOT / "myukm"
PING = "myukm.jobs.upkeep.ping"


def functions() -> dict[str, Callable[..., Any]]:
    """Return the function behind each job."""
    found = {}
    for path in JOBS:
        module, _, name = path.rpartition(".")
        found[path] = getattr(import_module(module), name)
    return found


def texts() -> set[str]:
    """Return every string that the program's source contains."""
    trees = (ast.parse(file.read_text()) for file in SOURCE.rglob("*.py"))
    constants = (
        node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)
    )
    return {node.value for node in constants if isinstance(node.value, str)}


def test_every_queue_of_a_job_is_served_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["worker.py"])
    assert {job.queue for job in JOBS.values()} <= set(worker._options().queues) == set(QUEUES)


def test_every_job_that_the_source_names_is_known() -> None:
    jobs = {text for text in texts() if text.startswith("myukm.jobs.") and text.count(".") == 3}
    assert jobs == set(JOBS)


@pytest.mark.parametrize("path", JOBS)
def test_a_job_takes_ids_only(path: str) -> None:
    parameters = inspect.signature(functions()[path], eval_str=True).parameters.values()
    assert all(parameter.annotation in (int, str) for parameter in parameters)


@pytest.mark.parametrize("path", JOBS)
def test_a_job_goes_to_its_queue(app: Flask, valkey: redis.Redis, path: str) -> None:
    with app.app_context():
        job_id = enqueue(path, *["1"] * len(inspect.signature(functions()[path]).parameters))
        assert Queue(JOBS[path].queue, connection=valkey).get_job_ids() == [job_id]
        assert Job.fetch(job_id, connection=valkey).timeout == (JOBS[path].timeout or 600)


def test_an_unknown_job_is_refused(app: Flask) -> None:
    with app.app_context(), pytest.raises(KeyError):
        enqueue("os.system", "true")


def test_a_job_is_not_queued_without_valkey(app: Flask) -> None:
    lose_valkey(app)
    with app.app_context():
        assert enqueue(PING) is None


@pytest.mark.parametrize("value", [Evil(), object(), Path("/"), print])
def test_no_object_is_read_from_a_job(value: object) -> None:
    with pytest.raises(JobNotAllowedError):
        PrimitivePickle.loads(pickle.dumps(value))


def test_plain_values_survive() -> None:
    value = ("a.b", None, (1, "x", 2.5, None, True, b"z"), {"k": [1, {"n": "ü"}]})
    assert (
        PrimitivePickle.loads(PrimitivePickle.dumps(value))
        == pickle.loads(PrimitivePickle.dumps(value))
        == value
    )


@pytest.mark.parametrize(
    "path", ["os.system", "myukm.jobs.upkeep.os.system", "myukm.jobs.upkeep.socket.gethostname"]
)
def test_a_job_that_calls_something_else_is_refused(valkey: redis.Redis, path: str) -> None:
    job = Queue("high", connection=valkey).enqueue(path, "true")
    with pytest.raises(JobNotAllowedError):
        _ = RestrictedJob.fetch(job.id, connection=valkey).func


def test_callbacks_and_webhooks_of_a_job_are_ignored(valkey: redis.Redis) -> None:
    here = Queue("high", connection=valkey)
    job = here.enqueue(PING, on_success=Callback(print), on_failure=Callback(print))
    valkey.hset(job.key, "webhooks", '[{"url": "http://127.0.0.1:1/"}]')
    fetched = RestrictedJob.fetch(job.id, connection=valkey)
    assert fetched.success_callback is fetched.failure_callback is None
    assert fetched.webhooks == []


def test_a_pickled_object_among_the_arguments_is_refused(valkey: redis.Redis) -> None:
    job = Queue("high", connection=valkey).enqueue(PING, Evil())
    with pytest.raises(DeserializationError):
        _ = RestrictedJob.fetch(job.id, connection=valkey).args


def test_a_plain_rq_worker_runs_what_we_queue(app: Flask, start: Callable[..., Program]) -> None:
    with app.app_context():
        job_id = enqueue(PING, to="high")
        burst = start("rq", "worker", "high", "--burst")
        assert burst.child.wait(30) == 0, burst.output()
        result = RestrictedJob.fetch(job_id, connection=app.extensions["valkey"]).return_value()
    assert isinstance(result, str)
    assert result


def test_enqueueing_is_one_round_trip(app: Flask, valkey: redis.Redis) -> None:
    with app.app_context():
        enqueue(PING)
        before = valkey.info("commandstats")["cmdstat_exec"]["calls"]
        enqueue(PING)
    assert valkey.info("commandstats")["cmdstat_exec"]["calls"] == before + 1
