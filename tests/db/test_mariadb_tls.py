"""Connections to MariaDB share one TLS context, unless `DATABASE_URL` has settings for TLS."""

import ssl
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from myukm.extensions import db

pytestmark = pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
CERTIFICATE = Path(__file__).parents[1] / "support/self_signed.pem"


@pytest.fixture
def contexts(monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLContext]:
    """The TLS contexts that are created during the test."""
    created: list[ssl.SSLContext] = []
    create = ssl.create_default_context

    def record(*args, **options) -> ssl.SSLContext:
        created.append(create(*args, **options))
        return created[-1]

    monkeypatch.setattr(ssl, "create_default_context", record)
    return created


def test_a_connection_creates_no_context(app: Flask, contexts: list[ssl.SSLContext]) -> None:
    with app.app_context(), db.engine.connect() as one, db.engine.connect() as two:
        assert one.exec_driver_sql("SELECT 1").scalar() == 1
        assert two.exec_driver_sql("SELECT 2").scalar() == 2
    assert contexts == []


def test_tls_that_is_wanted_is_required_and_verified(
    app: Flask, contexts: list[ssl.SSLContext]
) -> None:
    with app.app_context():
        url = make_url(db.engine.url).update_query_dict(
            {"ssl_ca": str(CERTIFICATE), "ssl_verify_cert": "true"}
        )
    with pytest.raises(OperationalError, match="SSL"):  # the tests' server has no TLS
        create_engine(url).connect()
    assert [context.verify_mode for context in contexts] == [ssl.CERT_REQUIRED]
