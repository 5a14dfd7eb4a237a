"""The page of the queues and rq-dashboard: roles, odd URLs and hostile contents of Valkey."""

import base64
import pickle
import re
import zlib
from collections.abc import Callable

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from rq import Queue
from rq.results import Result

from myukm.domain import activity
from myukm.queues.enqueue import enqueue, get_queue
from myukm.queues.restricted_job import RestrictedJob
from tests.conftest import every_database
from tests.support.pickles import Evil
from tests.support.programs import Program
from tests.support.without_valkey import lose_valkey
from tests.support.workers import wait_serving, waiting

As = Callable[[str], FlaskClient]
PING = "myukm.jobs.upkeep.ping"
SCRIPT = "<script>alert(1)</script>"
EVERYBODY = ("admin", "bendahara", "operator", "member", "outsider", "nobody")
PAGES = (
    "/admin/antrian",
    "/admin/rq/",
    "/admin/rq/0/view/workers",
    "/admin/rq/0/view/jobs",
    "/admin/rq/0/data/queues.json",
    "/admin/rq/0/data/workers.json",
    "/admin/rq/static/js/underscore-umd-min.js",
    "/admin/antrian?range=quarter",
)


@pytest.fixture
def failed_job(app: Flask, valkey: redis.Redis) -> str:
    """The id of a failed job."""
    with app.app_context():
        job_id = str(enqueue(PING, to="high"))
        job = RestrictedJob.fetch(job_id, connection=valkey)
        valkey.lpop(get_queue("high").key)
        job.set_status("failed")
        registry = get_queue("high").failed_job_registry
        with valkey.pipeline() as pipe:
            registry.add(job, ttl=1000, exc_string=f"KeyError: '{SCRIPT}'", pipeline=pipe)
            pipe.execute()
        Result.create_failure(job, 1000, f"Traceback\nKeyError: '{SCRIPT}'")
    return job_id


@pytest.mark.parametrize("who", EVERYBODY)
def test_operators_may_open_the_pages(client_as: As, who: str) -> None:
    expected = {"admin": 200, "operator": 200, "nobody": 302}.get(who, 403)
    client = client_as(who)
    for page in PAGES:
        with client.get(page) as answer:
            assert (page, answer.status_code) == (page, expected)
            assert who != "nobody" or answer.location.startswith("/login?next=")


@pytest.mark.parametrize("who", EVERYBODY)
def test_operators_may_read_the_history(client_as: As, who: str) -> None:
    expected = {"admin": 200, "operator": 200, "nobody": 401}.get(who, 403)
    client = client_as(who)
    for name in ("hour", "day", "month", "quarter"):
        assert client.get(f"/admin/antrian/history?range={name}").status_code == expected


def test_an_unknown_range_is_refused(client_as: As) -> None:
    answer = client_as("operator").get("/admin/antrian/history?range=abad")
    assert answer.status_code == 422
    assert answer.json["error"]["message"] == "Rentang abad tidak dikenal."


# Compact is called for a queue without jobs and for one with a job.
ACTIONS = (
    "queue/high/compact",
    "job/{job}/requeue",
    "queue/high/compact",
    "requeue/high",
    "job/{job}/delete",
    "queue/high/failed/empty",
)


@pytest.mark.parametrize("who", EVERYBODY)
def test_only_admins_may_act(client_as: As, failed_job: str, who: str) -> None:
    client = client_as(who)
    for action in ACTIONS:
        answer = client.post(f"/admin/rq/{action.format(job=failed_job)}")
        assert (action, answer.status_code) == (action, {"admin": 200, "nobody": 401}.get(who, 403))


def test_a_failed_job_is_requeued_once(client_as: As, failed_job: str, valkey: redis.Redis) -> None:
    admin = client_as("admin")
    assert admin.get("/admin/rq/requeue/high").status_code == 405
    assert waiting(valkey, "high") == []
    assert admin.post("/admin/rq/requeue/high").json == {"status": "OK", "count": 1}
    assert waiting(valkey, "high") == [failed_job]
    again = admin.post(f"/admin/rq/job/{failed_job}/requeue")
    assert again.status_code == 409


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
)
def test_another_site_can_not_act(client_as: As, failed_job: str, headers: dict[str, str]) -> None:
    answer = client_as("admin").post(f"/admin/rq/job/{failed_job}/delete", headers=headers)
    assert answer.status_code == 403


def test_wrong_urls_of_the_dashboard_are_not_found(client_as: As) -> None:
    operator = client_as("operator")
    wrong = (
        "0/view/job/no-such-job",
        "0/data/job/no-such-job.json",
        "1/view/queues",
        "0/view/jobs/high/nonsense/8/asc/1",
        "0/data/jobs/high/nonsense/8/asc/1.json",
        "0/data/jobs/high/queued/0/asc/1.json",
        "0/data/jobs/high/queued/x/asc/1.json",
        "0/data/jobs/high/queued/8/asc/-1.json",
        "0/view/jobs/x');alert(1);('/queued/8/asc/1",
    )
    for path in wrong:
        assert (path, operator.get(f"/admin/rq/{path}").status_code) == (path, 404)
    for path in ("0/view/jobs/high/queued/8/asc/1", "0/data/jobs/high/queued/8/asc/1.json"):
        assert operator.get(f"/admin/rq/{path}").status_code == 200


def test_texts_of_a_job_are_not_run_as_script(client_as: As, failed_job: str) -> None:
    operator = client_as("operator")
    page = operator.get(f"/admin/rq/0/view/job/{failed_job}").text
    workers = operator.get("/admin/rq/0/view/workers").text
    templates = [page.split('name="job-info"')[1], workers.split('name="worker-row"')[1]]
    for template in templates:
        assert "<%=" not in template.split("</script>")[0]
    data = operator.get(f"/admin/rq/0/data/job/{failed_job}.json")
    assert data.content_type == "application/json"
    assert data.json["exc_info"].endswith(f"'{SCRIPT}'")


def test_names_of_queues_are_not_run_as_script(client_as: As, valkey: redis.Redis) -> None:
    valkey.sadd("rq:queues", f"rq:queue:{SCRIPT}", "rq:queue:high")
    listed = client_as("operator").get("/admin/rq/0/data/queues.json").json["queues"]
    assert [row["name"] for row in listed] == ["high"]


@pytest.mark.parametrize("field", ["meta", "data", "result"])
def test_nothing_from_valkey_is_run(
    client_as: As, failed_job: str, valkey: redis.Redis, field: str
) -> None:
    evil = pickle.dumps(Evil())
    key = RestrictedJob.key_for(failed_job)
    valkey.hset(key, field, zlib.compress(evil) if field == "data" else evil)
    result = {"type": "1", "return_value": base64.b64encode(evil).decode()}
    valkey.xadd(Result.get_key(failed_job), result)
    admin = client_as("admin")
    for path in (
        f"0/data/job/{failed_job}.json",
        f"0/view/job/{failed_job}",
        "0/data/jobs/high/failed/8/asc/1.json",
    ):
        assert admin.get(f"/admin/rq/{path}").status_code in (200, 409)
    assert admin.post(f"/admin/rq/job/{failed_job}/requeue").status_code in (200, 409)


def test_workers_are_listed(
    client_as: As, app: Flask, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    start("rq", "worker", "high")
    wait_serving(app, ["high"])
    [worker] = client_as("operator").get("/admin/rq/0/data/workers.json").json["workers"]
    assert worker["queues"] == ["high"]
    with app.app_context():
        pool = app.extensions["valkey"].connection_pool
        assert pool.connection_kwargs["socket_timeout"] <= 5, "RQ replaced our time-outs"


def test_the_address_of_valkey_and_its_password_are_not_shown(client_as: As) -> None:
    page = client_as("operator").get("/admin/rq/").text
    assert "redis://" not in page
    assert "[0] Valkey<" in page


def test_the_dashboard_alone_may_run_inline_scripts(client_as: As) -> None:
    operator = client_as("operator")
    policies = [operator.get(path).headers["Content-Security-Policy"] for path in PAGES[:2]]
    assert "unsafe" not in policies[0]
    assert "script-src 'self' 'unsafe-inline' 'unsafe-eval'" in policies[1]


def test_the_page_shows_figures_and_findings(
    client_as: As, app: Flask, valkey: redis.Redis
) -> None:
    with app.app_context():
        enqueue(PING, to="high")
    operator = client_as("operator")
    page = operator.get("/admin/antrian").text
    queues = page.split('id="queues">')[1].split("</tbody>")[0]
    assert re.findall(r'data-slot="waiting" data-format="number">(\d+)<', queues) == ["1", "0", "0"]
    findings = page.split('id="findings">')[1].split("</section>")[0]
    assert "Tidak ada worker yang mendengarkan antrian high" in findings
    found = operator.get("/admin/antrian", headers={"Accept": "application/json"}).json
    assert found["queues"][0]["waiting"] == 1
    assert found["doctor"]["status"] in ("warning", "broken")


def test_the_page_says_that_valkey_is_unreachable(client_as: As, app: Flask) -> None:
    operator = client_as("operator")
    lose_valkey(app)
    unreachable = app.extensions["valkey"]
    app.extensions["dashboard_valkey"] = app.redis_conn = unreachable  # type: ignore[attr-defined]
    page = operator.get("/admin/antrian")
    assert page.status_code == 200
    assert "valkey_unreachable" in page.text
    assert operator.get("/admin/rq/0/data/queues.json").status_code == 503


def test_a_queue_of_another_program_can_be_opened(client_as: As, valkey: redis.Redis) -> None:
    Queue("theirs", connection=valkey).enqueue(print, "x")
    answer = client_as("operator").get("/admin/rq/0/data/jobs/theirs/queued/8/asc/1.json")
    assert answer.status_code in (200, 409)


ODD = (
    "%27",
    "%22%3E",
    "%00",
    "%FF",
    "%0d%0a",
    "..",
    "%20",
    "x%2Fy",
    "é",
    "\U0001f600",
    "a" * 3000,
    "-1",
    "0",
    "1e9",
    "9" * 30,
)


def odd_urls(app: Flask) -> list[tuple[str, str]]:
    """Return method and URL of every dashboard call, with each odd value in each argument."""
    usual = {
        "instance_number": "0",
        "queue_name": "high",
        "registry_name": "failed",
        "per_page": "8",
        "order": "asc",
        "page": "1",
        "job_id": "6d4bd0c6-3a3c-4a0e-9c53-7c4b4f7d2a11",
    }
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("rq_dashboard.") or "static" in rule.rule:
            continue
        method = "POST" if "POST" in rule.methods else "GET"
        pattern = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for name in rule.arguments & usual.keys():
            found += [(method, pattern.format(**usual | {name: odd})) for odd in ODD]
    return found


@pytest.mark.usefixtures("failed_job")
def test_no_odd_url_of_the_dashboard_causes_a_server_error(client_as: As, app: Flask) -> None:
    admin = client_as("admin")
    urls = odd_urls(app)
    assert len(urls) > 200
    crashed = [
        (path, answer.status_code)
        for method, path in urls
        if (answer := admin.open(path, method=method)).status_code >= 500
    ]
    assert crashed == []
    assert admin.get("/admin/rq/0/view/job/%27").status_code == 404


@every_database
@pytest.mark.parametrize("odd", ["%00", "a%00b", "%0d%0aforged", "%E2%80%A8", "x" * 300])
def test_an_action_on_an_invalid_job_id_is_refused_and_not_recorded(
    client_as: As, app: Flask, odd: str
) -> None:
    assert client_as("admin").post(f"/admin/rq/job/{odd}/delete").status_code == 404
    with app.app_context():
        assert activity.audit_page(action="queue.").items == []


def test_every_action_in_the_dashboard_is_recorded_with_the_account(
    client_as: As, app: Flask, failed_job: str, people: dict[str, int]
) -> None:
    admin = client_as("admin")
    for action in ACTIONS:
        assert admin.post(f"/admin/rq/{action.format(job=failed_job)}").status_code == 200
    assert admin.post(f"/admin/rq/job/{failed_job}/requeue").status_code == 404
    assert admin.get("/admin/rq/").status_code == 200
    with app.app_context():
        rows = activity.audit_page(action="queue.").items
        assert {row.actor_id for row in rows} == {people["admin"]}
        assert {row.actor_name for row in rows} == {"Siti Rahma"}
        assert [(row.action, row.subject) for row in reversed(rows)] == [
            ("queue.compact_queue", "high"),
            ("queue.requeue_job", failed_job),
            ("queue.compact_queue", "high"),
            ("queue.requeue_all", "high"),
            ("queue.delete_job", failed_job),
            ("queue.empty_queue", "high failed"),
        ]
