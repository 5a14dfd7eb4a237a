"""The program behind PgBouncer in transaction mode, where transactions share sessions."""

from collections.abc import Iterator

import flask_migrate
import pytest
from flask import Flask

import config
from devtools.simulator.client import Simulator
from myukm import create_app
from myukm.domain.sync import commands, dispatching, lane_job, progress
from myukm.extensions import db
from myukm.ops.findings import sessions
from tests.support import sync
from tests.support.pgbouncer import pgbouncer
from tests.support.postgresql import PostgreSQL

STUDENTS = 120


@pytest.fixture
def pooled(
    settings: dict[str, str], postgresql: PostgreSQL, simulator: Simulator
) -> Iterator[Flask]:
    """The app on an empty database, through the pooler."""
    with pgbouncer(postgresql, postgresql.fresh_database()) as url:
        given = {"DATABASE_URL": url, "PEMBAYARAN_API_URL": simulator.url}
        app = create_app(config.load(settings | given))
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()


def test_upgrade_and_a_run_behind_a_pooler(pooled: Flask) -> None:
    flask_migrate.upgrade()
    sync.create_students(STUDENTS)
    assert [finding.code for finding in sessions.settings()] == ["database_settings"]
    run_id = commands.start(sync.TREASURER)["run_id"]
    dispatching.dispatch(run_id)
    lane_job.run_lane(run_id)
    now = progress.current()
    assert (now["status"], now["success"]) == ("completed", STUDENTS)
