"""rq-dashboard with jobs of every kind: none of its pages fails, and its times are right."""

import pickle
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


def odd_jobs(valkey: redis.Redis) -> dict[str, Job]:
    """Put jobs of every kind into the queue `high` and its registries, as plain RQ makes them."""
    queue = Queue("high", connection=valkey)
    made = {
        "plain": queue.enqueue(PING),
        "foreign": queue.enqueue("os.getcwd", 1, key=b"\xff"),
        "gone": queue.enqueue("myukm.jobs.nothing.here"),
        "meta": queue.enqueue(PING, meta={"at": datetime.now(UTC), "raw": b"\xff"}),
        "scheduled": queue.enqueue_in(timedelta(hours=1), PING),
    }
    made["after"] = queue.enqueue(PING, depends_on=made["plain"])
    for name, value in {
        "date": datetime.now(UTC),
        "bytes": b"\xff",
        "set": {1},
        "nan": float("nan"),
    }.items():
        made[name] = queue.enqueue(PING)
        Result.create(made[name], Result.Type.SUCCESSFUL, ttl=100, return_value=value)
    for name in ("data", "created_at", "result", "status"):
        made[f"bad {name}"] = queue.enqueue(PING)
        valkey.hset(made[f"bad {name}"].key, name, b"\x80\xff")
    made["failed"] = queue.enqueue(PING)
    Result.create_failure(
        made["failed"], 100, "Traceback\nKeyError: \ud800".encode("utf-8", "replace").decode()
    )
    made["empty"] = queue.enqueue(PING)
    valkey.delete(made["empty"].key)
    made["other pickle"] = queue.enqueue(PING)
    valkey.hset(made["other pickle"].key, "data", pickle.dumps(datetime.now(UTC)))
    places = (
        FailedJobRegistry,
        FinishedJobRegistry,
        StartedJobRegistry,
        DeferredJobRegistry,
        CanceledJobRegistry,
        ScheduledJobRegistry,
    )
    for place in places:
        registry = place("high", connection=valkey)
        for job in made.values():
            entry = f"{job.id}:1" if place is StartedJobRegistry else job.id
            valkey.zadd(registry.key, {entry: 1e12})
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
    broken = {page: status for page in pages if (status := admin.get(page).status_code) >= 500}
    assert not broken
    assert admin.get("/admin/rq/").text.count('href="/admin/antrian"') == 1
