"""Password reset with an admin's one-time code."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.extensions import db
from myukm.models import Activity, PasswordReset
from tests.support.people import PASSWORD

ClientAs = Callable[[str], FlaskClient]
NEW = "kata-sandi-baru"


@pytest.fixture
def code(client_as: ClientAs, people: dict[str, int]) -> str:
    """The member's code."""
    return new_code(client_as("admin"), people["member"])


def new_code(admin: FlaskClient, user_id: int) -> str:
    answer = admin.post(f"/admin/users/{user_id}/reset-code", json={})
    assert answer.status_code == 201
    return str(answer.get_json()["code"])


def reset(client: FlaskClient, **sent: str):
    return client.post("/reset-password", json={"nim": "2024001", "password": NEW, **sent})


def log_in(client: FlaskClient, password: str) -> int:
    return client.post("/login", json={"nim": "2024001", "password": password}).status_code


def test_a_code_sets_a_new_password_once_and_logs_out_everywhere(
    client_as: ClientAs, code: str
) -> None:
    lost, here = client_as("member"), client_as("nobody")
    assert reset(here, code=code.lower().replace("-", " ")).status_code == 200
    assert here.get("/ukm").status_code == 200
    assert lost.get("/ukm").status_code == 302
    assert log_in(client_as("nobody"), PASSWORD) == 401
    assert log_in(client_as("nobody"), NEW) == 200
    assert reset(client_as("nobody"), code=code).status_code == 403


@pytest.mark.parametrize(
    "sent",
    [
        {"code": "AAAA-BBBB-CCCC"},
        {"code": ""},
        {"nim": "9999"},
        {"nim": "2024002"},
        {"nim": ""},
    ],
)
def test_every_wrong_input_gets_the_same_answer(
    client_as: ClientAs, code: str, sent: dict[str, str]
) -> None:
    answer = reset(client_as("nobody"), **{"code": code, **sent})
    wrong = reset(client_as("nobody"), nim="unknown", code="AAAA-AAAA-AAAA")
    assert (answer.status_code, answer.data) == (403, wrong.data)
    assert log_in(client_as("nobody"), PASSWORD) == 200


def test_a_code_is_valid_for_a_day(app: Flask, client_as: ClientAs, code: str) -> None:
    with app.app_context(), transaction() as session:
        made = session.query(PasswordReset).one()
        left = made.expires_at - utcnow()
        assert timedelta(hours=23, minutes=55) < left <= timedelta(hours=24)
        assert code not in made.code_hash
        made.expires_at = utcnow() - timedelta(seconds=1)
    assert reset(client_as("nobody"), code=code).status_code == 403


def test_a_new_code_and_a_new_password_void_the_old_code(
    client_as: ClientAs, people: dict[str, int], code: str
) -> None:
    second = new_code(client_as("admin"), people["member"])
    assert reset(client_as("nobody"), code=code).status_code == 403
    changed = {"old": PASSWORD, "new": "yang-ketiga"}
    assert client_as("member").post("/profile/password", json=changed).status_code == 200
    assert reset(client_as("nobody"), code=second).status_code == 403


def test_a_short_password_does_not_use_the_code_up(client_as: ClientAs, code: str) -> None:
    assert reset(client_as("nobody"), code=code, password="pendek").status_code == 422
    assert reset(client_as("nobody"), code=code).status_code == 200


def test_a_blocked_account_cannot_reset_its_password(
    client_as: ClientAs, people: dict[str, int], code: str
) -> None:
    admin = client_as("admin")
    admin.post(f"/admin/users/{people['member']}/block")
    assert reset(client_as("nobody"), code=code).status_code == 403
    again = admin.post(f"/admin/users/{people['member']}/reset-code", json={})
    assert (again.status_code, again.get_json()["error"]["code"]) == (409, "blocked")
    admin.post(f"/admin/users/{people['member']}/unblock")
    assert reset(client_as("nobody"), code=code).status_code == 403, "void since the block"


def test_guessing_is_rate_limited_for_that_nim_only(client_as: ClientAs, code: str) -> None:
    client = client_as("nobody")
    answers = [reset(client, code=f"AAAA-AAAA-{n}").status_code for n in range(12)]
    assert answers == [403] * 10 + [429] * 2
    assert reset(client, nim="2024002", code="A").status_code == 403


def test_the_page_keeps_what_was_typed_but_no_password(client_as: ClientAs) -> None:
    client = client_as("nobody")
    assert 'href="/reset-password"' in client.get("/login").text
    sent = {"nim": "2024001", "code": "ABCD", "password": NEW}
    answer = client.post("/reset-password", data=sent)
    assert answer.status_code == 403
    assert 'value="2024001"' in answer.text
    assert "kedaluwarsa" in answer.text
    assert NEW not in answer.text


def test_only_admins_create_codes_and_the_page_shows_a_code_once(
    client_as: ClientAs, people: dict[str, int]
) -> None:
    path = f"/admin/users/{people['member']}/reset-code"
    for who in ("bendahara", "operator", "member"):
        assert client_as(who).post(path).status_code == 403
    admin = client_as("admin")
    page = admin.post(path, follow_redirects=True)
    code = page.text.split("Kode kata sandi Mega Lestari (2024001): ")[1][:14]
    assert code not in admin.get("/admin/users").text
    assert reset(client_as("nobody"), code=code).status_code == 200
    assert admin.post(f"/admin/users/{people['admin']}/reset-code").status_code == 409


def test_the_audit_trail_records_the_reset_without_secrets(
    app: Flask, client_as: ClientAs, code: str
) -> None:
    reset(client_as("nobody"), code=code)
    with app.app_context():
        trail = {line.action: line for line in db.session.query(Activity)}
    assert trail["user.reset_code"].actor_name == "Siti Rahma"
    assert trail["user.reset_password"].subject == "2024001 Mega Lestari"
    assert not [line for line in trail.values() if code in line.subject or NEW in line.subject]
