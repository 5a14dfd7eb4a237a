"""Pausing and resuming a queue by page and by command."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.domain import activity, queue_pauses
from myukm.domain.actor import Actor
from myukm.extensions import db
from tests.conftest import every_database
from tests.web.admin.test_queues import EVERYBODY

As = Callable[[str], FlaskClient]


def paused(app: Flask) -> list[str]:
    with app.app_context():
        return [row.queue for row in queue_pauses.paused()]


@pytest.mark.parametrize("who", EVERYBODY)
def test_only_admins_may_pause(client_as: As, app: Flask, who: str) -> None:
    expected = {"admin": 200, "nobody": 401}.get(who, 403)
    for action, then in (("pause", ["high"]), ("resume", [])):
        assert client_as(who).post(f"/admin/antrian/high/{action}").status_code == expected
        assert paused(app) == (then if who == "admin" else [])


@every_database
def test_a_pause_is_shown_and_recorded(client_as: As, app: Flask, people: dict[str, int]) -> None:
    admin = client_as("admin")
    answer = admin.post("/admin/antrian/high/pause")
    assert answer.json == {"queue": "high", "paused": True, "changed": True}
    assert admin.post("/admin/antrian/high/pause").json["changed"] is False
    shown = client_as("operator").get("/admin/antrian", headers={"Accept": "application/json"})
    assert [row["name"] for row in shown.json["queues"] if row["paused"]] == ["high"]
    assert admin.post("/admin/antrian/nowhere/pause").status_code == 404
    assert admin.post("/admin/antrian/high/resume").json["changed"] is True
    assert paused(app) == []
    page = admin.get("/admin/audit").text
    assert "menjeda antrian high" in page
    with app.app_context():
        rows = activity.audit_page(action="queue.").items
        assert {row.actor_id for row in rows} == {people["admin"]}


@every_database
def test_two_simultaneous_pauses_store_one_pause(app: Flask, people: dict[str, int]) -> None:
    actor = Actor("Admin", people["admin"])

    def pause() -> bool:
        with app.app_context():
            return queue_pauses.pause(actor, "high")

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        with transaction():
            assert queue_pauses.pause(actor, "high")
            db.session.flush()
            second = pool.submit(pause)
            wait([second], 0.3)
            assert not second.done()
        assert second.result(30) is False
    assert paused(app) == ["high"]


def test_only_admins_see_the_buttons(client_as: As) -> None:
    assert 'data-change="pause"' in client_as("admin").get("/admin/antrian").text
    assert 'data-change="pause"' not in client_as("operator").get("/admin/antrian").text


def test_the_commands_print_the_new_state(app: Flask) -> None:
    flask = app.test_cli_runner()
    done = flask.invoke(args=("queue", "pause", "high"))
    assert (done.exit_code, done.stdout.splitlines()) == (
        0,
        [
            "Antrian high dijeda. Yang sudah berjalan diselesaikan.",
            "Lanjutkan dengan: ./run queue resume high",
        ],
    )
    assert "sudah dijeda" in flask.invoke(args=("queue", "pause", "high")).stdout
    assert "high (dijeda)" in flask.invoke(args=("queue", "monitor")).stdout
    monitored = json.loads(flask.invoke(args=("queue", "monitor", "--json")).stdout)
    assert [row["paused"] for row in monitored["queues"]] == [True, False, False]
    pinged = flask.invoke(args=("queue", "ping", "high", "--timeout", "0.2"))
    assert (pinged.exit_code, pinged.stderr) == (1, "antrian high dijeda\n")
    done = flask.invoke(args=("queue", "resume", "high"))
    assert (done.exit_code, done.stdout) == (0, "Antrian high dilanjutkan.\n")
    assert "tidak dijeda" in flask.invoke(args=("queue", "resume", "high")).stdout
    assert flask.invoke(args=("queue", "pause", "nowhere")).exit_code == 2


def test_the_command_exits_with_5_without_a_database(app: Flask) -> None:
    with app.app_context():
        app.extensions["sqlalchemy"].engine.dispose()
    database = Path(app.config["DATABASE_URL"].removeprefix("sqlite:///"))
    database.rename(database.with_suffix(".gone"))
    database.mkdir()
    assert app.test_cli_runner().invoke(args=("queue", "pause", "high")).exit_code == 5
