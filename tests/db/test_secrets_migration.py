"""Log-in tokens and codes that an older version stored in plain text are digests after the upgrade,
and stay valid."""

import hashlib
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import bindparam, text

from myukm.db.session import transaction
from myukm.db.types import UTCDateTime, utcnow
from myukm.extensions import db
from myukm.models import Activity
from tests.conftest import every_database
from tests.support import people
from tests.support.people import NAMES, UKM

BEFORE = "0003"
PASSWORD = "sandi yang baru"
TOKENS = [f"token-of-an-older-version-{n}" for n in range(1100)]
CODE = "7KQM-XW3A-9TRB"


def old_digest(code: str) -> str:
    return hashlib.sha256(code.replace("-", "").encode()).hexdigest()


def execute(statement: str, *rows: dict[str, Any]) -> None:
    wanted = text(statement)
    if ":now" in statement:
        wanted = wanted.bindparams(bindparam("now", type_=UTCDateTime()))
    db.session.execute(wanted, list(rows) or None)


@pytest.fixture
def upgraded(app: Flask) -> Flask:
    """A campus of the version before, upgraded to the newest."""
    with app.app_context():
        ids = people.create_accounts()
        flask_migrate.downgrade(revision=BEFORE)
        with transaction():
            now = {"now": utcnow()}
            execute(
                "INSERT INTO membership"
                " (ukm_id, user_id, is_admin, notices, read_number, joined_at)"
                " VALUES (2, :user, :yes, 'all', 0, :now)",
                {"user": ids["member"], "yes": True, **now},
            )
            execute(
                "INSERT INTO login_session (token, user_id, created_at, seen_at)"
                " VALUES (:token, :user, :now, :now)",
                *({"token": token, "user": ids["member"], **now} for token in TOKENS),
            )
            execute(
                "INSERT INTO invitation (nim, name, role, code_hash, created_at)"
                " VALUES ('77', 'Ani', 'anggota', :code, :now)",
                {"code": old_digest(CODE), **now},
            )
            execute(
                "INSERT INTO password_reset (user_id, code_hash, expires_at)"
                " VALUES (:user, :code, '2999-01-01 00:00:00')",
                {"user": ids["friend"], "code": old_digest(CODE)},
            )
            execute("UPDATE ukm SET join_code = 'AAAA-BBBB' WHERE id = 1")
        flask_migrate.upgrade()
    return app


def browser_of(app: Flask, token: str) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    return client


@every_database
def test_log_ins_and_open_codes_stay_valid(upgraded: Flask) -> None:
    for token in (TOKENS[0], TOKENS[-1]):
        assert browser_of(upgraded, token).get("/ukm").status_code == 200
    visitor = upgraded.test_client()
    sent = {"code": CODE, "password": PASSWORD}
    assert visitor.post("/register", json={"nim": "77", **sent}).status_code == 200
    friend = {"nim": NAMES["friend"][0], **sent}
    assert visitor.post("/reset-password", json=friend).status_code == 200
    with upgraded.app_context():
        stored = set(db.session.scalars(text("SELECT token FROM login_session")))
        assert not stored & set(TOKENS)
        db.session.rollback()  # PostgreSQL ends a session that is idle in a transaction
        flask_migrate.downgrade(revision=BEFORE)
        flask_migrate.upgrade()
        assert stored == set(db.session.scalars(text("SELECT token FROM login_session")))


@every_database
def test_a_join_code_equal_to_the_ukms_code_is_replaced_and_logged(
    upgraded: Flask,
) -> None:
    operator = upgraded.test_client()
    operator.post("/login", json={"nim": NAMES["operator"][0], "password": people.PASSWORD})
    assert operator.post("/ukm/join", json={"code": "PRAMUKA"}).status_code == 404
    assert operator.post("/ukm/join", json={"code": "AAAA-BBBB"}).get_json()["code"] == UKM
    admin = browser_of(upgraded, TOKENS[0])
    why = "Kode gabung diganti: yang lama sama dengan alamat UKM ini"
    assert why in admin.get("/ukm/PRAMUKA/log").text
    page = admin.get("/ukm/PRAMUKA/manage").text
    assert why in page
    fresh = page.split('join-code figure">')[1].partition("<")[0]
    assert operator.post("/ukm/join", json={"code": fresh}).status_code == 200
    with upgraded.app_context():
        trail = db.session.query(Activity).filter_by(action="ukm.code").all()
        assert [(line.actor_name, line.subject) for line in trail] == [
            ("flask db upgrade", "PRAMUKA")
        ]
