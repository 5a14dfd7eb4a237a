"""Expired log-ins, invitations and codes are deleted in portions."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.accounts import retention
from myukm.extensions import db
from myukm.models import Invitation, LoginSession, PasswordReset, StudentCode
from tests.conftest import every_database


@every_database
def test_expired_rows_are_deleted_in_portions(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PORTION", 2)
    old = utcnow() - timedelta(days=200)
    with app.app_context():
        with transaction() as session:
            for n, user_id in enumerate(list(people.values())[:5]):
                login = {"user_id": user_id, "created_at": old, "seen_at": old}
                code = {"code_hash": f"{n}", "created_at": old}
                session.add(LoginSession(token_hash=f"{n}", **login))
                session.add(Invitation(nim=f"9{n}", name="Nama", **code))
                session.add(StudentCode(idperson=f"{n}", **code))
                session.add(PasswordReset(user_id=user_id, code_hash="", expires_at=old))
            session.add(Invitation(nim="1", name="Nama", code_hash=""))
        tables = (LoginSession, Invitation, StudentCode, PasswordReset)

        def left() -> list[int]:
            return [db.session.scalar(select(func.count()).select_from(t)) or 0 for t in tables]

        seen = [(retention.prune(), left()) for _portion in range(3)]
    assert seen == [(True, [3, 4, 3, 3]), (True, [1, 2, 1, 1]), (False, [0, 1, 0, 0])]
