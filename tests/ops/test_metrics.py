"""The metrics are those of all processes together."""

import os
from collections.abc import Callable, Iterator

import pytest
import redis
import requests
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from redis.exceptions import RedisError

from myukm import instruments
from myukm.db.session import transaction
from myukm.domain.installation import code_version
from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.metrics import RequestStats
from myukm.domain.payment_api.parser import NotModified
from myukm.live import pubsub
from myukm.models import SyncRun
from myukm.ops import metrics
from myukm.queues import counters
from myukm.queues.counters import Times
from myukm.queues.enqueue import enqueue
from tests.support.programs import Program, WebServer
from tests.support.waiting import wait_until
from tests.support.without_valkey import NOBODY_LISTENS

HEALTH = "myukm_http_request_seconds_count['/healthz', '2xx', 'GET']"


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    """Drop what earlier tests counted in this process."""
    instruments._pending.clear()
    yield
    instruments._pending.clear()


def samples(app: Flask) -> dict[str, float]:
    """Return the samples by name and labels."""
    for name in [key for key in app.extensions if key.startswith("ttl_cache:")]:
        del app.extensions[name]
    with app.app_context():
        instruments.flush(app.extensions["valkey"])
        families = list(text_string_to_metric_families(metrics.text().decode()))
    found = (sample for family in families for sample in family.samples)
    return {f"{s.name}{sorted(s.labels.values())}": s.value for s in found}


def test_requests_are_counted_by_route_over_all_processes(app: Flask, web: WebServer) -> None:
    client = app.test_client()
    for _ in range(2):
        client.get("/healthz")
    client.get("/ukm/RAHASIA/chat")
    client.get("/tidak/ada")
    for _ in range(3):
        assert requests.get(f"{web.url}/healthz", timeout=10).ok
    wait_until(lambda: samples(app).get(HEALTH, 0) >= 5, 30, "both processes' requests")
    found = samples(app)
    assert found["myukm_http_request_seconds_count['/ukm/<code>/chat', '3xx', 'GET']"] == 1
    assert found["myukm_http_request_seconds_count['4xx', 'GET', 'none']"] == 1
    assert not any("RAHASIA" in name or "tidak" in name for name in found)
    buckets = [
        found[f"myukm_http_request_seconds_bucket{sorted([bound, '/healthz', '2xx', 'GET'])}"]
        for bound in ("0.025", "10.0", "+Inf")
    ]
    assert buckets == sorted(buckets)
    assert buckets[-1] >= 5


def test_a_child_does_not_count_what_its_parent_counted(valkey: redis.Redis) -> None:
    instruments.increment("api", "200")
    child = os.fork()
    if not child:
        code = 1
        try:
            instruments.flush(valkey)
            code = 0
        finally:
            os._exit(code)  # the child must not go on as a second pytest
    assert os.waitpid(child, 0)[1] == 0
    instruments.flush(valkey)
    assert instruments.totals(valkey) == {"api": {("200",): {"count": 1}}}


def test_without_valkey_nothing_counted_is_lost(valkey: redis.Redis) -> None:
    instruments.increment("api", "200", by=2)
    with pytest.raises(RedisError):
        instruments.flush(redis.Redis.from_url(NOBODY_LISTENS))
    instruments.increment("api", "200")
    instruments.flush(valkey)
    assert instruments.totals(valkey)["api"][("200",)] == {"count": 3}


def test_job_times_are_histograms(app: Flask) -> None:
    with app.app_context():
        for seconds in (0.02, 0.3, 7000.0):
            counters.count("high", "finished", Times(seconds, seconds / 2))
    found = samples(app)
    assert found["myukm_job_wait_seconds_bucket['0.025', 'high']"] == 1
    assert found["myukm_job_wait_seconds_bucket['3600.0', 'high']"] == 2
    assert found["myukm_job_wait_seconds_count['high']"] == 3
    assert found["myukm_job_wait_seconds_sum['high']"] == pytest.approx(7000.32)
    assert found["myukm_job_run_seconds_sum['high']"] == pytest.approx(3500.16)


def test_requests_to_the_payment_api_are_counted_by_status(app: Flask) -> None:
    stats = RequestStats()
    for answer in (
        NotModified(),
        Failure("server_error", Action.RETRY, http=500),
        Failure("timeout", Action.RETRY),
    ):
        stats.observe(0.1, answer, is_retry=False)
    found = samples(app)
    for status in ("304", "500", "timeout"):
        assert found[f"myukm_api_requests_total['{status}']"] == 1


def test_students_are_counted_by_outcome_without_dry_runs(app: Flask) -> None:
    counts = {"total": 9, "success": 5, "unchanged": 3, "failed": 1, "cancelled": 2}
    with app.app_context(), transaction() as session:
        for dry_run in (False, False, True):
            session.add(SyncRun(status="completed", dry_run=dry_run, **counts))
    found = samples(app)
    expected = {"changed": 4, "unchanged": 6, "failed": 2, "cancelled": 4}
    for outcome, count in expected.items():
        assert found[f"myukm_sync_items_total['{outcome}']"] == count


def test_open_streams_sent_events_process_starts_and_the_build_are_reported(
    app: Flask, web: WebServer, session_as: Callable[[str], requests.Session]
) -> None:
    with session_as("operator").get(f"{web.url}/stream", stream=True, timeout=10) as stream:
        lines = stream.iter_lines()  # the stream ends with its last reference
        assert next(lines)
        with app.app_context():
            pubsub.publish_transient("queue", "queue.health", {})
        sent = "myukm_stream_events_total['sent']"
        wait_until(lambda: samples(app).get("myukm_streams[]") == 1, 30, "one stream")
        wait_until(lambda: samples(app).get(sent, 0) >= 1, 30, "an event was sent")
    found = samples(app)
    assert found["myukm_process_starts_total['web']"] >= 1
    assert found["myukm_stream_events_total['dropped']"] == 0
    with app.app_context():
        version = code_version()
    assert any(name.startswith("myukm_build_info") and version in name for name in found)


@pytest.mark.parametrize("argv", [("rq", "worker", "default"), ("python", "worker.py", "default")])
def test_jobs_of_every_kind_of_worker_are_measured(
    app: Flask, start: Callable[..., Program], argv: tuple[str, ...]
) -> None:
    with app.app_context():
        enqueue("myukm.jobs.presence.broadcast_online_status", 1)
    assert start(*argv, "--burst").child.wait(60) == 0
    assert samples(app)["myukm_job_run_seconds_count['default']"] == 1
