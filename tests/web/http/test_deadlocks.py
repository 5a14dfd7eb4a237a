"""Two requests that wait for each other's rows: both are answered, one after the other."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.extensions import db
from myukm.models import User

SERVERS = pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)


@SERVERS
def test_a_deadlocked_request_is_repeated_with_its_upload(
    app: Flask, people: dict[str, int]
) -> None:
    both_hold_one, calls = Barrier(2), []

    @app.post("/swap/<who>/<other>")
    def swap(who: str, other: str) -> str:
        sent = request.files["photo"].read().decode()
        calls.append(who)
        with transaction() as session:
            session.get_one(User, people[who], with_for_update=True).name = sent
            if len(calls) <= 2:
                both_hold_one.wait(10)
            session.get_one(User, people[other], with_for_update=True)
        return sent

    def send(pair: tuple[str, str]) -> tuple[int, str]:
        client: FlaskClient = app.test_client()
        photo = {"photo": (BytesIO(pair[0].encode()), "foto.png")}
        answer = client.post(f"/swap/{pair[0]}/{pair[1]}", data=photo)
        return answer.status_code, answer.text

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(send, [("member", "friend"), ("friend", "member")]))
    assert answers == [(200, "member"), (200, "friend")]
    # The repeated request may lock its row before the other one wakes up, and be repeated again.
    assert len(calls) >= 3


VICTIM = {
    "postgresql": "DO $$ BEGIN RAISE EXCEPTION SQLSTATE '40P01'; END $$",
    "mysql": "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213",
}


@SERVERS
def test_a_request_that_deadlocks_every_time_gets_503(app: Flask) -> None:
    calls = []

    @app.post("/lose")
    def lose() -> str:
        calls.append(1)
        with transaction() as session:
            session.connection().exec_driver_sql(VICTIM[db.engine.dialect.name])
        return "never"

    assert app.test_client().post("/lose").status_code == 503
    assert len(calls) == 4
