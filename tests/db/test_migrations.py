"""A downgrade and an upgrade keep what both versions store, and upgrades may run concurrently."""

import os
import subprocess

import flask_migrate
from flask import Flask
from sqlalchemy import text

from myukm.db.session import transaction
from myukm.db.versions import newest_migration
from myukm.domain.chat import messages
from myukm.extensions import db
from myukm.models import Siswa, User
from tests.conftest import every_database
from tests.support import people
from tests.support.programs import BIN, ROOT

KEPT = ("user_account", "ukm", "membership", "chat_message", "siswa")


def counts() -> dict[str, int]:
    found = {name: db.session.scalar(text(f"SELECT count(*) FROM {name}")) for name in KEPT}
    db.session.remove()
    return found


@every_database
def test_a_downgrade_and_an_upgrade_keep_what_there_is(app: Flask) -> None:
    with app.app_context():
        ids = people.create_accounts()
        with transaction() as session:
            session.add(Siswa(idperson="1", nama="A", etag='"x"'))
        member = db.session.get_one(User, ids["member"])
        messages.post(member, people.UKM, "halo", "c1")
        before = counts()
        assert min(before.values()) > 0
        flask_migrate.downgrade(revision="0001")
        assert counts() == before
        flask_migrate.upgrade()
        assert counts() == before
        member = db.session.get_one(User, ids["member"], populate_existing=True)
        assert messages.post(member, people.UKM, "lagi", "c2")[1]


@every_database
def test_concurrent_upgrades_all_succeed(app: Flask, settings: dict[str, str]) -> None:
    with app.app_context():
        flask_migrate.downgrade(revision="0001")
        db.session.remove()
    env = {**os.environ, **settings, "FLASK_APP": "wsgi:app"}
    argv = [str(BIN / "flask"), "db", "upgrade"]
    upgrades = [
        subprocess.Popen(argv, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    ends = [(upgrade.communicate(timeout=120)[1], upgrade.returncode) for upgrade in upgrades]
    assert [code for _errors, code in ends] == [0] * 3, ends
    with app.app_context():
        versions = db.session.scalars(text("SELECT version_num FROM alembic_version")).all()
        assert versions == [newest_migration()]
