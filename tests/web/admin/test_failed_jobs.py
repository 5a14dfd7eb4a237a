"""The pages of failed jobs: roles, actions, and damaged jobs."""

from collections.abc import Callable

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from rq.job import Job

from myukm.domain import activity
from myukm.queues.enqueue import enqueue, get_queue
from myukm.queues.failures import groups, index
from myukm.queues.queue_ping import PING
from tests.ops.test_doctor import examine
from tests.queues.test_failures import fail
from tests.web.admin.test_queues import EVERYBODY, SCRIPT

As = Callable[[str], FlaskClient]
PAGE = "/admin/antrian/gagal"


def group_id(app: Flask) -> str:
    with app.app_context():
        index.refresh_all("default")
        return groups.all_groups()[0].id


@pytest.mark.parametrize("who", EVERYBODY)
def test_operators_may_open_the_pages_and_only_admins_may_act(
    client_as: As, app: Flask, valkey: redis.Redis, who: str
) -> None:
    [job_id] = fail(valkey, "KeyError: 1")
    client = client_as(who)
    page_status = {"admin": 200, "operator": 200, "nobody": 302}.get(who, 403)
    for path in (PAGE, f"{PAGE}/default/{group_id(app)}", f"/admin/antrian/pekerjaan/{job_id}"):
        assert (path, client.get(path).status_code) == (path, page_status)
    form = {"action": "discard", "queue": "default", "job_id": job_id}
    action_status = {"admin": 303, "nobody": 401}.get(who, 403)
    assert client.post(PAGE, data=form).status_code == action_status
    assert bool(valkey.exists(Job.key_for(job_id))) is (who != "admin")


def test_the_pages_link_from_the_error_to_the_traceback(
    client_as: As, app: Flask, valkey: redis.Redis
) -> None:
    job_ids = fail(valkey, f"KeyError: {SCRIPT}", 3)
    operator = client_as("operator")
    page = operator.get(PAGE).text
    assert "KeyError: &lt;script&gt;alert(#)" in page
    assert 'value="discard"' not in page
    group = operator.get(f"{PAGE}/default/{group_id(app)}").text
    assert all(f"/admin/antrian/pekerjaan/{job_id}" in group for job_id in job_ids)
    job = operator.get(f"/admin/antrian/pekerjaan/{job_ids[0]}").text
    assert "Traceback (most recent call last)" in job
    assert "&lt;script&gt;" in job
    assert SCRIPT not in page + group + job
    assert "myukm.jobs.upkeep.ping" in job


def test_a_group_whose_jobs_have_expired_is_shown_for_every_page_number(
    client_as: As, app: Flask, valkey: redis.Redis
) -> None:
    first, second = fail(valkey, "KeyError: 1", 2)
    group = f"{PAGE}/default/{group_id(app)}"
    valkey.delete(Job.key_for(second), Job.key_for(first))
    for page in ("1", "2", "9" * 18):
        assert client_as("operator").get(f"{group}?page={page}").status_code == 200


def test_one_job_is_discarded_and_recorded(client_as: As, app: Flask, valkey: redis.Redis) -> None:
    [job_id] = fail(valkey, "KeyError: 1")
    form = {"action": "discard", "queue": "default", "job_id": job_id}
    client_as("admin").post(PAGE, data=form)
    with app.app_context():
        [row] = activity.audit_page(action="queue.").items
    assert (row.action, row.subject) == ("queue.delete_job", job_id)


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_a_group_is_retried_or_discarded_and_recorded(
    client_as: As, app: Flask, valkey: redis.Redis, people: dict[str, int], action: str
) -> None:
    job_ids = fail(valkey, "KeyError: 1", 3)
    fail(valkey, "ValueError: no")
    admin, group = client_as("admin"), group_id(app)
    form = {"action": action, "queue": "default", "group": group}
    answer = admin.post(PAGE, data=form, follow_redirects=True)
    expected = "diantrikan lagi" if action == "retry" else "dibuang"
    assert f"3 pekerjaan {'' if action == 'retry' else 'gagal '}di antrian default {expected}." in (
        " ".join(answer.text.split())
    )
    with app.app_context():
        waiting = get_queue("default").get_job_ids()
        assert sorted(waiting) == (sorted(job_ids) if action == "retry" else [])
        [row] = activity.audit_page(action="queue.").items
        assert row.subject == f"default {group}: 3"
        assert row.actor_id == people["admin"]


def test_damaged_jobs_are_shown_and_discarded(client_as: As, valkey: redis.Redis) -> None:
    job_ids = fail(valkey, "KeyError: 1", 4)
    for job_id, field in zip(job_ids, ("data", "created_at", "ended_at", "status"), strict=True):
        valkey.hset(Job.key_for(job_id), field, b"\x80\xff")
    valkey.zadd("rq:failed:default", {"gone": 1e12})
    admin = client_as("admin")
    assert admin.get(PAGE).status_code == 200
    for job_id in job_ids:
        assert admin.get(f"/admin/antrian/pekerjaan/{job_id}").status_code == 200
    assert "rusak" in admin.get(f"/admin/antrian/pekerjaan/{job_ids[0]}").text
    assert admin.get("/admin/antrian/pekerjaan/gone").status_code == 404
    answer = admin.post(PAGE, data={"action": "discard", "queue": "default"})
    assert answer.status_code == 303
    assert not valkey.exists("rq:failed:default", *map(Job.key_for, job_ids))


@pytest.mark.parametrize(
    "time", [b"", b"\x80\xff", b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59Z"]
)
@pytest.mark.parametrize("field", ["enqueued_at", "started_at", "ended_at"])
def test_a_damaged_time_breaks_neither_the_doctor_nor_a_page(
    client_as: As, app: Flask, valkey: redis.Redis, time: bytes, field: str
) -> None:
    [failed] = fail(valkey, "KeyError: 1")
    with app.app_context():
        waiting = str(enqueue(PING))
    for job_id in (failed, waiting):
        valkey.hset(Job.key_for(job_id), field, time)
    codes = {each["code"] for each in examine(app)["findings"]}
    assert "no_worker" in codes
    admin = client_as("admin")
    for path in ("/admin/antrian", PAGE, "/admin/rq/", "/readyz", "/metrics"):
        assert admin.get(path).status_code == 200, path
    for job_id in (failed, waiting):
        assert admin.get(f"/admin/antrian/pekerjaan/{job_id}").status_code == 200


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"action": "retry", "queue": "nowhere"}, 404),
        ({"action": "eat", "queue": "default"}, 422),
        ({"action": "retry", "queue": "default", "job_id": "'"}, 404),
    ],
)
def test_an_impossible_action_is_refused(client_as: As, form: dict[str, str], status: int) -> None:
    assert client_as("admin").post(PAGE, data=form).status_code == status
    assert client_as("admin").get(f"{PAGE}/default/nothing").status_code == 404
