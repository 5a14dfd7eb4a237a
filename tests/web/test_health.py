"""Liveness, readiness and metrics, and who may read the metrics."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import flask_migrate
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

import config
from devtools.ports import any_free
from myukm import create_app
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.live import event_log
from myukm.models import SyncRun
from myukm.queues.enqueue import enqueue
from tests.conftest import every_database
from tests.support.servers import need
from tests.support.without_valkey import lose_valkey

As = Callable[[str], FlaskClient]
REMOTE = {"REMOTE_ADDR": "203.0.113.9"}
TOKEN = "the token of the tests"


def test_liveness(app: Flask) -> None:
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_readiness(app: Flask) -> None:
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("scheme", ["postgresql", "mariadb"])
def test_without_the_database_readiness_is_503(settings: dict[str, str], scheme: str) -> None:
    url = f"{scheme}://u:secret@127.0.0.1:{any_free()}/x"
    client = create_app(config.load({**settings, "DATABASE_URL": url})).test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["reason_code"] == answer.json["error"]["code"] == "database_unreachable"
    assert "secret" not in answer.text
    assert "127.0.0.1" not in answer.text
    assert client.get("/healthz").status_code == 200


def test_without_valkey_readiness_is_200_and_degraded(app: Flask) -> None:
    """On 503 a load balancer would remove all web servers, although they work without Valkey."""
    lose_valkey(app)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (
        200,
        {
            "status": "degraded",
            "reason": "Valkey tidak menjawab.",
            "reason_code": "valkey_unreachable",
        },
    )


@pytest.mark.parametrize(
    ("name", "url", "status"),
    [
        ("DATABASE_URL", "postgresql://u@127.0.0.1:{port}/x", 503),
        ("DATABASE_URL", "mariadb://u@127.0.0.1:{port}/x", 503),
        ("REDIS_URL", "redis://127.0.0.1:{port}/0", 200),
    ],
)
def test_readiness_is_answered_in_time_when_a_server_hangs(
    settings: dict[str, str], name: str, url: str, status: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        given = {name: url.format(port=silent.getsockname()[1])}
        client = create_app(config.load({**settings, **given})).test_client()
        for _ in range(2):
            begun = time.monotonic()
            assert client.get("/readyz").status_code == status
            assert time.monotonic() - begun < 2


def test_many_readiness_checks_of_a_hanging_database_take_one_connection(
    settings: dict[str, str],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        given = {"DATABASE_URL": f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/x"}
        app = create_app(config.load({**settings, **given}))
        before = threading.active_count()
        with ThreadPoolExecutor(8) as pool:
            answers = [pool.submit(app.test_client().get, "/readyz") for _ in range(8)]
            assert {answer.result(5).status_code for answer in answers} == {503}
        assert threading.active_count() <= before + 1


def test_readiness_of_a_process_that_shuts_down_is_503(app: Flask) -> None:
    app.extensions["live_hub"].close()
    answer = app.test_client().get("/readyz")
    assert answer.json is not None
    assert (answer.status_code, answer.json["reason_code"]) == (503, "closing")


def metrics(client: FlaskClient, **kwargs: object) -> dict[str, float]:
    """Return the samples by name and labels."""
    answer = client.get("/metrics", **kwargs)  # type: ignore[arg-type]
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    samples = (sample for family in families for sample in family.samples)
    return {f"{s.name}{sorted(s.labels.values())}": s.value for s in samples}


def test_metrics_have_the_queues_and_findings(app: Flask, valkey: redis.Redis) -> None:
    with app.app_context():
        enqueue("myukm.jobs.upkeep.ping", to="high")
    found = metrics(app.test_client())
    assert found["myukm_queue_waiting['high']"] == 1
    assert found["myukm_queue_workers['high']"] == 0
    assert found["myukm_jobs_total['default', 'failed']"] == 0
    assert found["myukm_sync_live[]"] == 0
    assert found["myukm_finding['no_worker', 'warning']"] == 1


def test_metrics_have_the_size_of_the_event_log(app: Flask) -> None:
    with app.app_context():
        for _ in range(3):
            with transaction():
                event_log.append("sync", "sync.log", {})
    assert metrics(app.test_client())["myukm_event_log_events[]"] == 3


@pytest.mark.parametrize("with_valkey", [True, False])
def test_promtool_accepts_the_metrics(app: Flask, with_valkey: bool) -> None:
    promtool = need(shutil.which("promtool"), "prometheus")
    with app.app_context(), transaction() as session:
        session.add(SyncRun(live=1, status="running", total=9, success=5, started_at=utcnow()))
    if not with_valkey:
        lose_valkey(app)
    text = app.test_client().get("/metrics").data
    assert b"myukm_sync_live 1.0" in text
    checked = subprocess.run(
        [promtool, "check", "metrics"], check=False, input=text, capture_output=True
    )
    assert (checked.stdout, checked.stderr, checked.returncode) == (b"", b"", 0)


def test_metrics_without_valkey(app: Flask) -> None:
    lose_valkey(app)
    assert metrics(app.test_client())["myukm_finding['broken', 'valkey_unreachable']"] == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": TOKEN}, 403),
        ({"Authorization": "Bearer another"}, 403),
        ({"Authorization": "Bearer "}, 403),
        ({"Authorization": "Bearer ümlaut"}, 403),
    ],
)
def test_remote_callers_need_the_token(app: Flask, headers: dict[str, str], status: int) -> None:
    app.config["METRICS_TOKEN"] = TOKEN
    answer = app.test_client().get("/metrics", headers=headers, environ_base=REMOTE)
    assert answer.status_code == status


def test_without_a_token_remote_callers_are_refused(app: Flask) -> None:
    given = {"Authorization": "Bearer "}
    assert app.test_client().get("/metrics", headers=given, environ_base=REMOTE).status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_requests_forwarded_by_a_local_proxy_count_as_remote(app: Flask, header: str) -> None:
    answer = app.test_client().get("/metrics", headers={header: "127.0.0.1"})
    assert answer.status_code == 403
    assert answer.json is not None
    assert answer.json["error"]["code"] == "forbidden"


def test_a_client_of_a_trusted_proxy_cannot_claim_loopback(settings: dict[str, str]) -> None:
    app = create_app(config.load({**settings, "TRUSTED_PROXIES": "1"}))
    client = app.test_client()
    answer = client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}, environ_base=REMOTE)
    assert answer.status_code == 403
    assert client.get("/metrics").status_code == 200


@every_database
def test_an_outdated_database_is_reported_with_its_cure(app: Flask) -> None:
    with app.app_context():
        flask_migrate.downgrade(revision="0001")
    login = {"nim": "admin1", "password": "x"}
    answer = app.test_client().post("/login", json=login)
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "database_outdated")
    assert "./run db upgrade" in answer.json["error"]["message"]
