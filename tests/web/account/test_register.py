"""Registration: by one-time code, open, closed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.accounts import login_limits, retention
from myukm.domain.accounts.codes import matches
from myukm.extensions import db
from myukm.models import Invitation
from myukm.rate_limiting.limiter import acquire
from myukm.rate_limiting.local_log import claim

ClientAs = Callable[[str], FlaskClient]
PASSWORD = "kata-sandi-baru"


@pytest.fixture
def code(client_as: ClientAs) -> str:
    """The one-time code of NIM 77."""
    invited = {"nim": "77", "name": "Ahmad \u202eBaru", "role": "anggota"}
    answer = client_as("admin").post("/admin/users/invitations", json=invited)
    return str(answer.get_json()["code"])


def register(client: FlaskClient, **sent: str):
    return client.post("/register", json={"nim": "77", "password": PASSWORD, **sent})


def test_a_code_makes_one_account_and_logs_in(client_as: ClientAs, code: str) -> None:
    client = client_as("nobody")
    answer = register(client, code=code.lower().replace("-", " "))
    assert answer.get_json()["name"] == "Ahmad Baru"
    assert client.get("/ukm").status_code == 200
    again = register(client_as("nobody"), code=code)
    assert (again.status_code, again.get_json()["error"]["code"]) == (403, "wrong_code")
    logged_in = client_as("nobody").post("/login", json={"nim": "77", "password": PASSWORD})
    assert logged_in.status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"code": ""},
        {"code": "AAAA-BBBB-CCCC"},
        {"nim": "78"},
    ],
)
def test_a_wrong_code_and_a_wrong_nim_get_the_same_error(
    client_as: ClientAs, code: str, sent: dict[str, str]
) -> None:
    answer = register(client_as("nobody"), **{"code": code, **sent} if "nim" in sent else sent)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "wrong_code")


def test_a_short_password_does_not_use_the_code_up(client_as: ClientAs, code: str) -> None:
    client = client_as("nobody")
    assert register(client, code=code, password="pendek").status_code == 422
    assert register(client, code=code).status_code == 200


def test_a_new_code_voids_the_old_code(client_as: ClientAs, code: str) -> None:
    client_as("admin").post(
        "/admin/users/invitations", json={"nim": "77", "name": "A", "role": "anggota"}
    )
    assert register(client_as("nobody"), code=code).status_code == 403


def test_a_code_is_valid_for_30_days(app: Flask, client_as: ClientAs, code: str) -> None:
    def age(days: int) -> None:
        with app.app_context(), transaction() as session:
            session.query(Invitation).one().created_at = utcnow() - timedelta(days=days)

    age(31)
    answer = register(client_as("nobody"), code=code)
    assert answer.status_code == 403
    assert "kedaluwarsa" in answer.get_json()["error"]["message"]
    age(29)
    assert register(client_as("nobody"), code=code).status_code == 200


def test_old_invitations_are_deleted(app: Flask, code: str) -> None:
    with app.app_context():
        retention.prune()
        with transaction() as session:
            session.query(Invitation).one().created_at -= timedelta(days=31)
        retention.prune()
        assert session.query(Invitation).count() == 0


def test_stored_codes_cannot_be_checked_without_the_secret_key(app: Flask, code: str) -> None:
    with app.app_context():
        stored = db.session.query(Invitation).one().code_hash
        assert matches(stored, code)
        app.config["SECRET_KEY"] = "another secret, which is long enough too"
        assert not matches(stored, code)


def test_a_nim_with_an_account_is_not_invited(client_as: ClientAs) -> None:
    invited = {"nim": "2024001", "name": "X", "role": "anggota"}
    answer = client_as("admin").post("/admin/users/invitations", json=invited)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "nim_taken")


def test_guessing_codes_is_rate_limited(client_as: ClientAs, code: str) -> None:
    client = client_as("nobody")
    answers = [register(client, code=f"AAAA-AAAA-{n}").status_code for n in range(12)]
    assert answers == [403] * 10 + [429] * 2


def test_without_a_code_nobody_becomes_admin(client_as: ClientAs, settings: dict[str, str]) -> None:
    answer = register(client_as("nobody"), name="A")
    assert answer.status_code == 403
    answer = register(client_as("nobody"), name="A", role="admin")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "unknown_field")


class TestOpen:
    @pytest.fixture
    def settings(self, settings: dict[str, str]) -> dict[str, str]:
        return {**settings, "REGISTRATION": "open"}

    def test_anyone_registers_as_a_member(self, client_as: ClientAs) -> None:
        answer = register(client_as("nobody"), name="Siapa Saja")
        assert answer.get_json()["role"] == "anggota"
        assert register(client_as("nobody"), name="Lain").status_code == 409

    def test_a_refused_form_keeps_what_was_typed(self, client_as: ClientAs) -> None:
        sent = {"nim": "5 5", "name": "Siapa Saja", "password": PASSWORD}
        answer = client_as("nobody").post("/register", data=sent)
        assert answer.status_code == 422
        assert "Siapa Saja" in answer.text
        assert PASSWORD not in answer.text

    def test_an_address_may_create_a_hundred_accounts_an_hour(
        self, client_as: ClientAs, app: Flask
    ) -> None:
        with app.app_context():
            for _ in range(99):
                acquire(claim(login_limits.REGISTRATIONS, "127.0.0.1"))
        browser = client_as("nobody")
        assert register(browser, nim="2024001", name="A").status_code == 409, "no new account"
        assert register(browser, nim="one", name="A").status_code == 200
        refused = register(client_as("nobody"), nim="two", name="A")
        assert refused.status_code == 429
        assert int(refused.headers["Retry-After"]) > 3500


class TestClosed:
    @pytest.fixture
    def settings(self, settings: dict[str, str]) -> dict[str, str]:
        return {**settings, "REGISTRATION": "closed"}

    def test_nobody_registers(self, app: Flask, client_as: ClientAs, code: str) -> None:
        assert client_as("nobody").get("/register").status_code == 403
        assert register(client_as("nobody"), code=code).status_code == 403
