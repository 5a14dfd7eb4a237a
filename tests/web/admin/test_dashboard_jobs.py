"""rq-dashboard with jobs of every kind, also damaged jobs: no page fails."""

import pickle
import zlib
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from rq import Queue
from rq.job import Job
from rq.registry import (
    CanceledJobRegistry,
    DeferredJobRegistry,
    FailedJobRegistry,
    FinishedJobRegistry,
    ScheduledJobRegistry,
    StartedJobRegistry,
)
from rq.results import Result

As = Callable[[str], FlaskClient]
PING = "myukm.jobs.upkeep.ping"


REGISTRIES = (
    FailedJobRegistry,
    FinishedJobRegistry,
    StartedJobRegistry,
    DeferredJobRegistry,
    CanceledJobRegistry,
    ScheduledJobRegistry,
)
DAMAGED = ("data", "created_at", "result", "status", "timeout")


def odd_jobs(valkey: redis.Redis) -> dict[str, Job]:
    """Put jobs of every kind into the queue `high` and its registries, as plain RQ makes them."""
    queue = Queue("high", connection=valkey)
    made = usual_jobs(queue) | jobs_with_odd_results(queue) | damaged_jobs(queue)
    for registry in (kind("high", connection=valkey) for kind in REGISTRIES):
        for job in made.values():
            entry = f"{job.id}:1" if isinstance(registry, StartedJobRegistry) else job.id
            valkey.zadd(registry.key, {entry: 1e12})
    return made


def usual_jobs(queue: Queue) -> dict[str, Job]:
    """Jobs that RQ can read, with our functions and with others."""
    plain = queue.enqueue(PING)
    return {
        "plain": plain,
        "after": queue.enqueue(PING, depends_on=plain),
        "foreign": queue.enqueue("os.getcwd", 1, key=b"\xff"),
        "gone": queue.enqueue("myukm.jobs.nothing.here"),
        "meta": queue.enqueue(PING, meta={"at": datetime.now(UTC), "raw": b"\xff"}),
        "scheduled": queue.enqueue_in(timedelta(hours=1), PING),
    }


def jobs_with_odd_results(queue: Queue) -> dict[str, Job]:
    """Jobs whose result cannot be written as JSON, or whose error is no UTF-8."""
    values = {"date": datetime.now(UTC), "bytes": b"\xff", "set": {1}, "nan": float("nan")}
    made = {name: queue.enqueue(PING) for name in (*values, "failed")}
    for name, value in values.items():
        Result.create(made[name], Result.Type.SUCCESSFUL, ttl=100, return_value=value)
    error = b64encode(zlib.compress(b"Traceback\nKeyError: \xed\xa0\x80"))  # half a surrogate pair
    entry = {"type": Result.Type.FAILED.value, "exc_string": error}
    queue.connection.xadd(Result.get_key(made["failed"].id), entry)
    return made


def damaged_jobs(queue: Queue) -> dict[str, Job]:
    """Jobs with a field that RQ cannot read, or without any field."""
    made = {name: queue.enqueue(PING) for name in (*DAMAGED, "empty", "other pickle")}
    for name in DAMAGED:
        queue.connection.hset(made[name].key, name, b"\x80\xff")
    queue.connection.delete(made["empty"].key)
    queue.connection.hset(made["other pickle"].key, "data", pickle.dumps(datetime.now(UTC)))
    return made


@pytest.mark.usefixtures("people")
def test_no_kind_of_job_breaks_a_page(app: Flask, client_as: As, valkey: redis.Redis) -> None:
    made = odd_jobs(valkey)
    admin = client_as("admin")
    kinds = ("queued", "failed", "finished", "started", "deferred", "canceled", "scheduled")
    pages = [
        f"/admin/rq/0/data/jobs/high/{kind}/50/{order}/1.json"
        for kind in kinds
        for order in ("asc", "dsc")
    ]
    pages += [
        "/admin/rq/0/data/queues.json",
        "/admin/rq/0/data/workers.json",
        "/admin/rq/0/view/jobs",
    ]
    pages += ["/admin/antrian"]
    for job in made.values():
        pages += [f"/admin/rq/0/view/job/{job.id}", f"/admin/rq/0/data/job/{job.id}.json"]
        pages += [f"/admin/antrian/pekerjaan/{job.id}"]
    broken = {page: status for page in pages if (status := admin.get(page).status_code) >= 500}
    assert not broken
    assert "KeyError: " in admin.get(f"/admin/antrian/pekerjaan/{made['failed'].id}").text
    assert admin.get("/admin/rq/").text.count('href="/admin/antrian"') == 1


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_job_is_listed_and_can_be_deleted(
    client_as: As, valkey: redis.Redis, name: str
) -> None:
    job = damaged_jobs(Queue("high", connection=valkey))[name]
    valkey.zadd("rq:failed:high", {job.id: 1e12})
    admin = client_as("admin")
    for kind in ("queued", "failed"):
        page = admin.get(f"/admin/rq/0/data/jobs/high/{kind}/50/asc/1.json")
        rows = {row["id"]: row for row in page.json["jobs"]}
        assert job.id in rows
        assert name in ("data", "result") or rows[job.id]["description"].startswith("rusak: ")
    assert admin.post(f"/admin/rq/job/{job.id}/delete").json == {"status": "OK"}
    assert not valkey.exists(job.key)
    assert valkey.zscore("rq:failed:high", job.id) is None
    assert job.id.encode() not in valkey.lrange("rq:queue:high", 0, -1)


def test_the_job_that_a_job_depends_on_is_shown(client_as: As, valkey: redis.Redis) -> None:
    made = usual_jobs(Queue("high", connection=valkey))
    answer = client_as("operator").get(f"/admin/rq/0/data/job/{made['after'].id}.json")
    assert answer.json["depends_on"] == [made["plain"].id]
    assert answer.json["depends_on_status"] == ["active"]


def test_the_registry_of_started_jobs_cannot_be_emptied(client_as: As, valkey: redis.Redis) -> None:
    job = Queue("high", connection=valkey).enqueue(PING)
    valkey.zadd("rq:wip:high", {f"{job.id}:1": 1e12})
    admin = client_as("admin")
    assert admin.post("/admin/rq/queue/high/started/empty").status_code == 409
    assert valkey.zcard("rq:wip:high") == 1
    assert "#empty-btn" in admin.get("/admin/rq/0/view/jobs/high/started/8/asc/1").text
    assert "#empty-btn," not in admin.get("/admin/rq/0/view/jobs/high/failed/8/asc/1").text


def test_the_dashboard_and_our_pages_link_to_each_other(client_as: As, valkey: redis.Redis) -> None:
    job = Queue("high", connection=valkey).enqueue(PING)
    operator = client_as("operator")
    ours, theirs = f"/admin/antrian/pekerjaan/{job.id}", f"/admin/rq/0/view/job/{job.id}"
    assert f'href="{theirs}"' in operator.get(ours).text
    assert f'href="{ours}"' in operator.get(theirs).text


def test_the_jobs_of_a_paused_queue_are_listed(
    client_as: As, app: Flask, valkey: redis.Redis
) -> None:
    job = Queue("high", connection=valkey).enqueue(PING)
    admin = client_as("admin")
    admin.post("/admin/antrian/high/pause")
    listed = admin.get("/admin/rq/0/data/jobs/high/queued/8/asc/1.json").json["jobs"]
    assert [row["id"] for row in listed] == [job.id]
