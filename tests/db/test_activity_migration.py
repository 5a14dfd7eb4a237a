"""The upgrade of three activity tables to one: every page shows the same rows as before."""

from datetime import datetime, timedelta
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import select, text

from myukm.db.session import transaction
from myukm.domain import account_deletion, activity
from myukm.domain.actor import Actor
from myukm.extensions import db
from myukm.models import Activity, SyncRun, User
from tests.conftest import every_database
from tests.support import people
from tests.support.old_database import BEFORE, DAY_AGO, store

IMPORTS = 5_001  # one more than a portion
UNTIL = "2026-01-01T00:00:00Z"


@pytest.fixture
def upgraded(app: Flask) -> tuple[Flask, dict[str, int]]:
    with app.app_context():
        ids = people.create_accounts()
        account_deletion.delete_account(db.session.get_one(User, ids["operator"]), people.PASSWORD)
        with transaction() as session:
            session.add(SyncRun(id=7, status="completed", started_by="Siti"))
        flask_migrate.downgrade(revision=BEFORE)
        fill_old_tables(ids)
        flask_migrate.upgrade()
    return app, ids


def fill_old_tables(ids: dict[str, int]) -> None:
    """Store rows in the three old tables, and an empty new one, as a killed upgrade leaves it."""
    command = {"action": "siswa.import", "actor": "flask siswa", "actor_id": None}
    audited = [command | {"at": moment(n), "subject": str(n)} for n in range(IMPORTS)]
    started = {"at": DAY_AGO, "action": "sync.started", "actor": "Siti", "actor_id": ids["admin"]}
    store("audit", *audited, started | {"subject": "#7"})
    line = {"ukm_id": 1, "at": DAY_AGO, "person_id": None, "actor_id": None, "detail": ""}
    mute = {"action": "muted", "person_id": ids["operator"], "detail": UNTIL}
    store("ukm_log", line | mute | {"actor_id": ids["admin"]}, line | {"action": "code_replaced"})
    done = {"run_id": 7, "at": DAY_AGO, "code": "started", "actor": "Siti"}
    store("sync_action", done, done | {"code": "suspicious_api", "actor": None})
    with transaction() as session:
        session.execute(text("CREATE TABLE activity (id INTEGER PRIMARY KEY)"))


def moment(number: int) -> datetime:
    return DAY_AGO + timedelta(seconds=number)


def check_activity(ids: dict[str, int]) -> None:
    """Assert that each page shows its rows as before, in their order."""
    imports = select(Activity).where(Activity.action == "siswa.import").order_by(Activity.id)
    rows = db.session.scalars(imports).all()
    assert [(row.subject, row.at) for row in rows] == [(str(n), moment(n)) for n in range(IMPORTS)]
    assert {(row.actor_name, row.actor_id, row.audited) for row in rows} == {
        ("flask siswa", None, True)
    }
    (started,) = activity.audit_page(action="sync.started").items
    assert (started.actor_name, started.actor_id, started.subject) == ("Siti", ids["admin"], "#7")
    assert activity.audit_page(action="unit.").total == 0
    code, mute = activity.ukm_page(1).items[:2]
    assert (code.verb, code.actor, code.person, code.at) == ("code_replaced", None, None, DAY_AGO)
    assert (mute.verb, mute.actor_id, mute.detail) == ("muted", ids["admin"], UNTIL)
    assert mute.person
    assert mute.person.name == "Pengguna terhapus"
    assert mute.actor_name is None
    found = [(row.verb, row.actor_name, row.at) for row in activity.of_run(7)]
    assert found == [("started", "Siti", DAY_AGO), ("suspicious_api", None, DAY_AGO)]
    db.session.remove()


@every_database
def test_each_activity_table_keeps_its_rows_and_their_order(upgraded: tuple[Flask, Any]) -> None:
    app, ids = upgraded
    with app.app_context():
        check_activity(ids)
        flask_migrate.downgrade(revision=BEFORE)
        flask_migrate.upgrade()
        check_activity(ids)
        flask_migrate.stamp(revision=BEFORE)  # as if the upgrade was killed at its end
        flask_migrate.upgrade()
        check_activity(ids)


@every_database
def test_an_action_on_a_run_is_on_both_pages_after_a_downgrade(upgraded: tuple[Flask, Any]) -> None:
    app, ids = upgraded
    with app.app_context():
        with transaction():
            activity.record(Actor("Siti", ids["admin"]), "sync.paused", "#7", run_id=7)
        for _turn in range(2):
            assert [row.verb for row in activity.of_run(7)][2:] == ["paused"]
            assert activity.audit_page(action="sync.paused").total == 1
            db.session.remove()
            flask_migrate.downgrade(revision=BEFORE)
            flask_migrate.upgrade()
