"""A broken connection is reported as an unreachable database, whatever error the driver raises."""

import psycopg
import pytest
from flask import Flask
from sqlalchemy.exc import DatabaseError, DBAPIError, IntegrityError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (DatabaseError("SELECT 1", None, psycopg.DatabaseError("no message from the libpq")), 503),
        (IntegrityError("INSERT", None, psycopg.errors.UniqueViolation("a bug of ours")), 500),
    ],
)
def test_a_broken_connection_gets_503_and_a_bug_500(
    app: Flask, error: DBAPIError, status: int
) -> None:
    def fail() -> None:
        raise error

    app.add_url_rule("/fails", view_func=fail)
    answer = app.test_client().get("/fails", headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("1" if status == 503 else None)
