"""Logging in and out."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from myukm.db import types
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import stream_topics
from myukm.domain.accounts import accounts, retention
from myukm.extensions import db
from myukm.models import LoginSession
from myukm.web.http import access
from tests.conftest import every_database
from tests.support.people import NAMES, PASSWORD

ClientAs = Callable[[str], FlaskClient]
ACCEPT_JSON = {"Accept": "application/json"}


@pytest.fixture
def browser(app: Flask, people: dict[str, int]) -> FlaskClient:
    return app.test_client()


def log_in(client: FlaskClient, who: str, password: str = PASSWORD, **query: str):
    form = {"nim": NAMES[who][0], "password": password}
    return client.post("/login", data=form, query_string=query)


@pytest.mark.parametrize(
    ("who", "place"),
    [
        ("admin", "/admin/sync-pembayaran"),
        ("bendahara", "/admin/sync-pembayaran"),
        ("operator", "/admin/antrian"),
        ("member", "/ukm"),
    ],
)
def test_after_the_log_in_each_role_gets_its_start_page(
    browser: FlaskClient, who: str, place: str
) -> None:
    answer = log_in(browser, who)
    assert answer.status_code == 303
    assert browser.get("/").location == place


def test_a_script_logs_in_with_json(browser: FlaskClient) -> None:
    good = browser.post("/login", json={"nim": "admin1", "password": PASSWORD})
    bad = browser.post("/login", json={"nim": "admin1", "password": "salah"})
    assert good.status_code == 200
    assert (bad.status_code, bad.get_json()["error"]["code"]) == (401, "wrong_credentials")


@pytest.mark.parametrize("body", [[], "x", {"nim": 1, "password": []}, {"nim": {}}])
def test_a_strange_body_is_refused(browser: FlaskClient, body: object) -> None:
    assert browser.post("/login", json=body).status_code == 422
    assert browser.post("/login").status_code == 401


@pytest.mark.parametrize("body", [{"nim": "\ud800"}, {"nim": "admin1", "password": "\ud800"}])
def test_half_a_surrogate_pair_does_not_get_around_the_limit(
    browser: FlaskClient, body: dict[str, str]
) -> None:
    assert browser.post("/login", json=body).status_code == 422
    answers = [log_in(browser, "member", "salah").status_code for _ in range(12)]
    assert answers[9:] == [401, 429, 429]


def test_an_unknown_nim_and_a_wrong_password_look_the_same(browser: FlaskClient) -> None:
    wrong = log_in(browser, "member", "salah-sekali")
    unknown = browser.post("/login", data={"nim": "2024001x", "password": "salah-sekali"})
    strip = str.maketrans("", "", "x")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.translate(strip) == unknown.text.translate(strip)


def test_guessing_is_rate_limited_for_that_nim_only(browser: FlaskClient) -> None:
    answers = [log_in(browser, "member", "salah").status_code for _ in range(12)]
    assert answers[:10] == [401] * 10
    assert answers[10:] == [429] * 2
    assert log_in(browser, "friend").status_code == 303


def test_next_never_redirects_to_another_site(browser: FlaskClient) -> None:
    ours = {
        "/ukm": "/ukm",
        "/admin/siswa?q=a b&page=2": "/admin/siswa?q=a%20b&page=2",
        "/[": "/%5B",
    }
    others = ["https://evil.example/", "//evil.example", "/\\evil", "//[", "http://[", "/\t/evil"]
    odd = ["/\n", "/ukm\r\nSet-Cookie: a=b", "/\x00", "evil", "", " /ukm", "x" * 5000]
    for asked, place in {**ours, **dict.fromkeys([*others, *odd], "/")}.items():
        answer = log_in(browser, "member", next=asked)
        assert (answer.status_code, answer.location) == (303, place)
        again = browser.get("/login", query_string={"next": asked})
        assert (again.status_code, again.location) == (302, place)


def test_a_cookie_is_invalid_after_log_out(client_as: ClientAs) -> None:
    client = client_as("member")
    kept = client.get_cookie("myukm")
    assert kept
    client.post("/logout")
    client.set_cookie("myukm", kept.value)
    assert client.get("/ukm").status_code == 302


def test_the_cookie_is_sent_again_only_once_a_day(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(browser, "member")
    assert "Set-Cookie" not in browser.get("/ukm").headers
    tomorrow = utcnow() + timedelta(days=1)
    monkeypatch.setattr(access, "utcnow", lambda: tomorrow)
    assert "Expires=" in browser.get("/ukm").headers["Set-Cookie"]
    assert "Set-Cookie" not in browser.get("/ukm").headers


def test_a_log_in_in_use_stays_valid_and_an_unused_one_expires(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    used, forgotten = app.test_client(), app.test_client()
    for client in (used, forgotten):
        log_in(client, "member")
    start = utcnow()
    for days in (20, 40):
        moment = start + timedelta(days=days)
        for module in (access, accounts, retention, types):
            monkeypatch.setattr(module, "utcnow", lambda moment=moment: moment)
        assert used.get("/ukm").status_code == 200
        with app.app_context():
            retention.prune()
    assert used.get("/ukm").status_code == 200
    assert forgotten.get("/ukm").status_code == 302


@pytest.mark.parametrize(
    ("unused", "old", "valid"),
    [(29, 179, True), (31, 40, False), (1, 181, False)],
)
def test_a_log_in_ends_after_30_days_without_use_and_after_180_in_any_case(
    app: Flask, people: dict[str, int], unused: int, old: int, valid: bool
) -> None:
    """The cookie itself is still valid: the row decides, for pages and for streams."""
    client = app.test_client()
    log_in(client, "member")
    now = utcnow()
    with app.app_context():
        with transaction() as session:
            row = session.query(LoginSession).one()
            row.seen_at, row.created_at = now - timedelta(days=unused), now - timedelta(days=old)
            login = row.token_hash
        assert bool(stream_topics.for_sessions([login])) is valid
        assert bool(accounts.count_sessions(people["member"])) is valid
    assert client.get("/ukm").status_code == (200 if valid else 302)
    with app.app_context():
        retention.prune()
        assert db.session.query(LoginSession).count() == valid


def test_two_instances_on_one_host_do_not_end_each_others_log_ins(browser: FlaskClient) -> None:
    """Browsers send the cookies of a host to all of its ports."""
    places = ["http://localhost:5000", "http://localhost:5001"]
    form = {"nim": NAMES["member"][0], "password": PASSWORD}
    for place in places:
        assert browser.post("/login", data=form, base_url=place).status_code == 303
    browser.post("/logout", base_url=places[0])
    answers = [browser.get("/profile", base_url=place).status_code for place in places]
    assert answers == [302, 200]


def test_the_name_of_the_cookie_has_the_public_port(app: Flask, browser: FlaskClient) -> None:
    app.config["PUBLIC_URL"] = "https://ukm.kampus.ac.id:8443"
    log_in(browser, "member")
    assert browser.get_cookie("myukm_8443")


def test_a_cookie_without_the_port_in_its_name_is_accepted(browser: FlaskClient) -> None:
    log_in(browser, "member")
    assert browser.get("/profile", base_url="http://localhost:5000").status_code == 200


def test_the_cookie_is_valid_for_30_days(browser: FlaskClient) -> None:
    log_in(browser, "member")
    cookie = browser.get_cookie("myukm")
    assert cookie is not None
    assert cookie.expires is not None
    left = cookie.expires - utcnow()
    assert timedelta(days=29, hours=23) < left <= timedelta(days=30)


def test_the_database_holds_no_token(app: Flask, browser: FlaskClient) -> None:
    log_in(browser, "member")
    with browser.session_transaction() as cookie:
        token = cookie["_user_id"]
    with app.app_context():
        stored = db.session.execute(text("SELECT token FROM login_session")).scalar_one()
    assert stored != token
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = stored
    assert browser.get("/ukm").status_code == 302, "the stored digest is no token"


def test_a_second_log_in_ends_the_first_one_of_that_browser(
    browser: FlaskClient, people: dict[str, int]
) -> None:
    log_in(browser, "member")
    first = browser.get_cookie("myukm")
    assert first
    assert log_in(browser, "friend").status_code == 303
    assert browser.get("/profile", headers=ACCEPT_JSON).get_json()["user_id"] == people["friend"]
    browser.set_cookie("myukm", first.value)
    assert browser.get("/ukm").status_code == 302


def test_without_a_log_in_pages_redirect_and_calls_are_401(client_as: ClientAs) -> None:
    client = client_as("nobody")
    assert client.get("/ukm").location == "/login?next=/ukm"
    assert client.get("/stream").status_code == 401
    assert client.post("/logout").status_code == 401


def test_the_language_is_the_readers_choice(client_as: ClientAs) -> None:
    client = client_as("nobody")
    assert 'lang="id"' in client.get("/login").text
    client.post("/language", data={"lang": "en"})
    assert 'lang="en"' in client.get("/login").text
    assert client.post("/language", data={"lang": "xx"}).status_code == 422


@every_database
def test_a_nim_with_a_nul_is_an_unknown_nim(app: Flask, people: dict[str, int]) -> None:
    answer = app.test_client().post("/login", json={"nim": "a\0b", "password": "rahasia"})
    assert answer.status_code in (401, 422)
