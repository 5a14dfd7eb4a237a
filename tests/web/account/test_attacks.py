"""Password guessing from many addresses: the owner still logs in, owner and admins are warned."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select

from myukm.domain.accounts import accounts, attacks
from myukm.domain.accounts.login_limits import ADDRESS
from myukm.domain.actor import Actor
from myukm.extensions import db
from myukm.models import Activity, User
from myukm.ops import doctor
from myukm.ops.effects import with_effects
from myukm.ops.findings import application
from myukm.rate_limiting.limiter import acquire
from myukm.rate_limiting.local_log import claim
from tests.conftest import every_database
from tests.support.people import NAMES, PASSWORD

ClientAs = Callable[[str], FlaskClient]
NIM, OTHER = NAMES["member"][0], NAMES["friend"][0]
BANNER = "Ada yang mencoba menebak kata sandi Anda"


def log_in(client: FlaskClient, password: str = PASSWORD, nim: str = NIM, at: str = "10.9.9.9"):
    sent = {"nim": nim, "password": password}
    return client.post("/login", json=sent, environ_base={"REMOTE_ADDR": at})


def attack(app: Flask, guesses: int = 100) -> None:
    """Guess the member's password from many addresses."""
    for n in range(guesses):
        answer = log_in(app.test_client(), f"tebakan-{n}", at=f"10.0.{n // 10}.1")
        assert answer.status_code == 401, n


@pytest.fixture
def own_device(app: Flask, people: dict[str, int]) -> FlaskClient:
    """A browser in which the member logged in and out before."""
    client = app.test_client()
    assert log_in(client).status_code == 200
    assert client.post("/logout", json={}).status_code == 200
    return client


def test_an_attack_limits_strangers_but_not_the_owners_browser(
    app: Flask, own_device: FlaskClient
) -> None:
    attack(app)
    refused = log_in(app.test_client())
    assert refused.status_code == 429
    assert 50 <= int(refused.headers["Retry-After"]) <= 60
    for _ in range(2):
        assert log_in(own_device).status_code == 200
    assert log_in(app.test_client(), nim=NAMES["friend"][0]).status_code == 200


def test_guesses_from_the_owners_address_do_not_lock_out_the_owners_browser(
    app: Flask, own_device: FlaskClient
) -> None:
    answers = [log_in(app.test_client(), "salah").status_code for _ in range(11)]
    assert answers[10] == 429
    assert log_in(own_device).status_code == 200


def test_guesses_from_a_known_browser_are_limited_too(own_device: FlaskClient) -> None:
    answers = [log_in(own_device, "salah", at=f"10.0.{n}.1").status_code for n in range(12)]
    assert answers == [401] * 10 + [429] * 2


def test_the_cookie_of_known_browsers_is_hidden_from_scripts_and_other_sites(
    client_as: ClientAs,
) -> None:
    (cookie,) = [
        line
        for line in log_in(client_as("nobody")).headers.getlist("Set-Cookie")
        if line.startswith("myukm_devices=")
    ]
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert NIM not in cookie


@pytest.mark.parametrize("marks", ["", "x" * 32, ".".join("é" * 3), "a." * 200])
def test_a_forged_mark_does_not_lift_the_limit(
    app: Flask, people: dict[str, int], marks: str
) -> None:
    attack(app)
    forger = app.test_client()
    forger.set_cookie("myukm_devices", marks)
    assert log_in(forger).status_code == 429


def test_a_mark_is_for_one_account_and_one_password(app: Flask, own_device: FlaskClient) -> None:
    another = app.test_client()
    log_in(another, nim=NAMES["friend"][0])
    attack(app)
    assert log_in(another).status_code == 429
    with app.app_context():
        accounts.set_password(NIM, "kata-sandi-lain", by=Actor("test"))
    assert log_in(own_device, "kata-sandi-lain").status_code == 429


def test_changing_the_password_keeps_this_browser_known(
    app: Flask, own_device: FlaskClient
) -> None:
    log_in(own_device, nim=OTHER)
    log_in(own_device)
    change = {"old": PASSWORD, "new": "kata-sandi-lain"}
    assert own_device.post("/profile/password", json=change).status_code == 200
    for nim in (NIM, OTHER):
        guesses = [log_in(app.test_client(), "salah", nim).status_code for _ in range(11)]
        assert guesses[10] == 429
    assert log_in(own_device, "kata-sandi-lain").status_code == 200
    assert log_in(own_device, nim=OTHER).status_code == 200, "known for this account, too"


def test_a_shared_browser_is_known_for_each_of_its_accounts(
    app: Flask, own_device: FlaskClient
) -> None:
    for _ in range(2):
        assert log_in(own_device, nim=NAMES["friend"][0]).status_code == 200
    attack(app)
    assert log_in(own_device).status_code == 200


@every_database
def test_an_attack_is_shown_to_the_owner_and_the_admins_once(
    app: Flask, client_as: ClientAs, people: dict[str, int]
) -> None:
    member = client_as("member")
    assert BANNER not in member.get("/profile").text
    attack(app)
    for _ in range(3):
        log_in(app.test_client(), "salah")
    for page in ("/ukm", "/profile"):
        assert BANNER in member.get(page).text
    assert BANNER not in client_as("friend").get("/profile").text
    trail = client_as("admin").get("/admin/audit?action=attack.").text
    assert trail.count("mencatat tebakan kata sandi terhadap akun") == 1
    assert f"{NIM} Mega Lestari" in trail
    with app.app_context():
        (finding,) = [f for f in doctor.report()["findings"] if f["code"] == "login_attack"]
        assert NIM in finding["message"]
        attacks.record_account(f" {NIM}")
        attacks.record_account("nobody")
        rows = select(func.count()).where(Activity.action == attacks.ON_ACCOUNT)
        assert db.session.scalar(rows) == 1


def test_only_attacked_accounts_count_as_people(app: Flask, people: dict[str, int]) -> None:
    def affected() -> object:
        (finding,) = application.attacks()
        return with_effects([finding])[0].people

    with app.app_context():
        attacks.record_address("10.1.1.1")
        assert affected() is None
        attacks.record_account(NIM)
        assert affected() == 1


def test_the_owner_dismisses_the_notice(
    app: Flask, client_as: ClientAs, people: dict[str, int]
) -> None:
    with app.app_context():
        attacks.record_account(NIM)
    member = client_as("member")
    assert BANNER in member.get("/ukm").text
    assert client_as("friend").post("/profile/attack-seen", json={}).status_code == 200
    assert member.post("/profile/attack-seen").location == "/profile"
    assert BANNER not in member.get("/ukm").text


def test_admins_see_an_address_that_tries_many_accounts(app: Flask, client_as: ClientAs) -> None:
    browser = client_as("nobody")
    with app.app_context():
        for _ in range(195):
            acquire(claim(ADDRESS, "login", "10.9.9.9"))
    for n in range(5):
        assert log_in(browser, "salah", nim=f"n{n}").status_code == 401
    assert log_in(browser, nim="another").status_code == 429
    trail = client_as("admin").get("/admin/audit?action=attack.").text
    assert "10.9.9.9" in trail


def test_only_the_right_password_shows_that_an_account_is_blocked(
    client_as: ClientAs, people: dict[str, int]
) -> None:
    client_as("admin").post(f"/admin/users/{people['member']}/block")
    browser = client_as("nobody")
    wrong, right = log_in(browser, "salah"), log_in(browser)
    assert (wrong.status_code, wrong.get_json()["error"]["code"]) == (401, "wrong_credentials")
    assert (right.status_code, right.get_json()["error"]["code"]) == (401, "account_blocked")
    assert right.get_json()["error"]["message"] == (
        "Akun Anda diblokir. Hubungi admin kampus: Siti Rahma."
    )
    page = browser.post("/login", data={"nim": NIM, "password": PASSWORD})
    assert "Akun Anda diblokir." in page.text


def test_an_attack_is_recorded_together_with_its_notice(app: Flask, people: dict[str, int]) -> None:
    def die(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE user"):
            raise RuntimeError("killed")

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", die)
        with pytest.raises(RuntimeError, match="killed"):
            attacks.record_account(NIM)
        event.remove(db.engine, "before_cursor_execute", die)
        db.session.rollback()
        assert attacks.recent() == []
        attacks.record_account(NIM)
        assert db.session.get_one(User, people["member"]).attacked_at is not None
