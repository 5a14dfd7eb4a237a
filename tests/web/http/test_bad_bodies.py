"""Invalid bodies, sent to every call that changes something: refused, and nothing is changed.

The caller has all rights, so that only the body can be the reason for an error.
"""

import json
from collections.abc import Callable, Iterator
from types import NoneType
from typing import Any, get_args

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import MetaData, insert
from werkzeug.test import TestResponse

from myukm.db.session import transaction
from myukm.domain.chat import messages
from myukm.extensions import db
from myukm.models import Membership, Siswa, Ukm, User
from myukm.web.http.security import DASHBOARD
from tests.support.people import UKM

ClientAs = Callable[[str], FlaskClient]
CHANGES = ("POST", "PUT", "PATCH", "DELETE")
NO_JSON = [b"{", b"x", b'"\xff"', b"[" * 10_000, b'{"a": NaN}', '{"a": "é"}'.encode("latin-1")]
NO_JSON += [b'{"a": -Infinity}', b"9" * 5000 + b"x", "{}".encode("utf-16"), b"{} {}", b"\0"]
NO_OBJECT = [b"[]", b'"x"', b"7", b"null", b"9" * 400, b"9" * 5000, b'[{"a": 1}]']
WRONG: dict[Any, list[Any]] = {
    str: [7, True, [], {}, "a\0b", "\ud800", 10**400],
    int: ["7", 1.5, True, [], {}, 10**400, -(10**4000)],
    list[int]: ["x", 7, {}, ["x"], [1, None], [1.5], [True], [[]], [10**400], [-(10**4000)]],
    bool: ["true", 1, [], {}],
    list[str]: ["x", 7, {}, [7], ["x", None], ["\0"], ["\udfff"], [[]]],
}
VALID = {str: "x", int: 1, bool: True}


@pytest.fixture
def paths(app: Flask, people: dict[str, int]) -> list[tuple[str, str, type[msgspec.Struct] | None]]:
    """Method, URL and body struct of every call that changes something, whose rows exist."""
    with app.app_context(), transaction() as session:
        ukm_id = session.query(Ukm).filter_by(code=UKM).one().id
        session.add(Membership(ukm_id=ukm_id, user_id=people["admin"], is_admin=True))
        session.execute(insert(Siswa), [{"idperson": "100001", "nama": "Siti"}])
    with app.app_context():
        member = db.session.get_one(User, people["member"])
        message, _new = messages.post(member, UKM, "Halo", "c")
        values = {
            "code": UKM,
            "message_id": message.id,
            "user_id": people["friend"],
            "emoji": "👍",
            "idperson": "100001",
            "queue": "default",
            "token": "7KQM-XW3A-9TRB-AAAA",
            **dict.fromkeys(("invitation_id", "import_id", "export_id", "file_id"), 1),
        }
    return list(changing_calls(app, values))


def changing_calls(
    app: Flask, values: dict[str, Any]
) -> Iterator[tuple[str, str, type[msgspec.Struct] | None]]:
    """Yield method, URL and body struct of each call, except those of rq-dashboard."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        takes = getattr(app.view_functions[rule.endpoint], "takes", None)
        for method in CHANGES:
            if method in (rule.methods or ()) and not rule.rule.startswith(DASHBOARD):
                filled = {name: values[name] for name in rule.arguments}
                yield method, adapter.build(rule.endpoint, filled, method), takes


def rows(app: Flask) -> dict[str, list[Any]]:
    """Return the rows of the whole database, by table."""
    with app.app_context(), db.engine.connect() as connection:
        found = MetaData()
        found.reflect(connection)
        return {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in found.sorted_tables
        }


def send(client: FlaskClient, method: str, path: str, data: bytes) -> TestResponse:
    return client.open(path, method=method, data=data, content_type="application/json")


def assert_refused(answer: TestResponse, status: int, name: str = "") -> None:
    """Assert that an answer is an error with this status, whose sentence contains `name`."""
    assert answer.status_code == status, (answer.request.path, answer.text)
    error = answer.get_json()["error"]
    assert set(error) == {"code", "message"}
    assert name in error["message"], answer.request.path


@pytest.mark.parametrize(
    ("bodies", "status", "name"),
    [
        (NO_JSON, 400, ""),
        (NO_OBJECT, 422, ""),
        ([b'{"asing": 1}', b'{"asing": {"a": [null]}}'], 422, "asing"),
        ([b'{"ganda": 1, "ganda": 1}', b'{"a": [{"ganda": 1, "ganda": 2}]}'], 422, "ganda"),
        ([b'{"\\ud800": 1}', b'{"\\u0000": 1}', json.dumps({"x" * 9000: 1}).encode()], 422, ""),
    ],
    ids=["no JSON", "no object", "unknown field", "field twice", "odd field"],
)
def test_every_call_refuses_an_invalid_body(
    app: Flask,
    client_as: ClientAs,
    paths: list[Any],
    bodies: list[bytes],
    status: int,
    name: str,
    no_flood_guard: None,
) -> None:
    admin, before = client_as("admin"), rows(app)
    for method, path, _takes in paths:
        for body in bodies:
            assert_refused(send(admin, method, path, body), status, name)
    assert rows(app) == before


def test_the_error_names_a_field_that_is_missing_or_of_another_type(
    app: Flask, client_as: ClientAs, paths: list[Any]
) -> None:
    admin, before, count = client_as("admin"), rows(app), 0
    for method, path, takes in paths:
        for name, body in wrong_bodies(takes):
            assert_refused(send(admin, method, path, json.dumps(body).encode()), 422, name)
            count += 1
    assert count > 100
    assert rows(app) == before


def wrong_bodies(takes: type[msgspec.Struct] | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a field's name and a body where this field is wrong and the fields before it valid."""
    before: dict[str, Any] = {}
    for field in msgspec.structs.fields(takes) if takes else ():
        name, kinds = field.encode_name, (field.type, *get_args(field.type))
        kind = next(one for one in kinds if one in WRONG)
        yield from ((name, {**before, name: value}) for value in WRONG[kind])
        if NoneType not in kinds:
            yield name, {**before, name: None}
        if field.required:
            yield name, before
            before = {**before, name: VALID[kind]}
