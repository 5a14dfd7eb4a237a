"""Limits of attempts at passwords and codes, and attempts to get around them."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.people import NAMES, PASSWORD

ClientAs = Callable[[str], FlaskClient]
NIM = NAMES["member"][0]
FORMS = ("/login", "/register", "/reset-password")


@pytest.fixture
def browser(app: Flask, people: dict[str, int]) -> FlaskClient:
    return app.test_client()


def multipart(*parts: tuple[str, str]) -> dict[str, Any]:
    """Return a request with these parts, in this order."""
    head = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    body = "".join(head.format(*part) for part in parts) + "--x--\r\n"
    return {"data": body.encode(), "content_type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize("path", FORMS)
def test_a_long_body_is_refused_before_it_is_read(browser: FlaskClient, path: str) -> None:
    typed = {"nim": NIM, "password": PASSWORD}
    many = [(f"part{n}", "x") for n in range(1100)]
    answers = [
        browser.post(path, **multipart(("a", "x" * 700_000), *typed.items())),
        browser.post(path, **multipart(*many, *typed.items())),
        browser.post(path, data={"a": "x" * 20_000, **typed}),
        browser.post(path, json={"nim": "9" * 20_000, "password": PASSWORD}),
    ]
    assert [answer.status_code for answer in answers] == [413] * 4


@pytest.mark.parametrize("path", ["/profile/password", "/profile/delete"])
def test_a_long_body_to_the_password_forms_of_the_profile_is_refused(
    client_as: ClientAs, path: str
) -> None:
    answer = client_as("member").post(path, data={"a": "x" * 20_000, "password": PASSWORD})
    assert answer.status_code == 413


def test_a_malformed_form_counts_as_an_attempt(browser: FlaskClient) -> None:
    broken = [
        {"data": b"--x\r\nContent-", "content_type": "multipart/form-data"},
        {"data": b"--x\r\nContent-", "content_type": "multipart/form-data; boundary=x"},
    ]
    answers = [browser.post("/login", **body).status_code for body in broken * 7]
    assert answers == [401] * 10 + [429] * 4


def test_malformed_json_is_refused(
    browser: FlaskClient,
) -> None:
    for data in (b"{", b"\xff\xfe", b"[" * 9_000):
        answer = browser.post("/login", data=data, content_type="application/json")
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "bad_json")


@pytest.mark.parametrize("path", FORMS)
def test_all_spellings_of_a_nim_share_one_limit(browser: FlaskClient, path: str) -> None:
    spellings = ["ab1", " ab1", "\u2003ab1\u00a0", "AB1", "aＢ1", "ab１", "\u3000Ab1\t"]
    wrong = {"password": "salah-sekali"}
    if path != "/login":
        wrong["code"] = "AAAA-BBBB-CCCC"
    answers = [browser.post(path, json={"nim": n, **wrong}).status_code for n in spellings * 2]
    assert answers[10:] == [429] * 4
    assert 429 not in answers[:10]


def test_every_spelling_of_a_nim_logs_in(browser: FlaskClient) -> None:
    for spelling in (NIM, f"\u2003{NIM}", "２０２４００１\n"):
        answer = browser.post("/login", json={"nim": spelling, "password": PASSWORD})
        assert answer.get_json()["nim"] == NIM


def test_a_refusal_names_the_waiting_time(browser: FlaskClient) -> None:
    for _ in range(11):
        answer = browser.post("/login", data={"nim": NIM, "password": "salah"})
    assert answer.status_code == 429
    assert 50 <= int(answer.headers["Retry-After"]) <= 60
    assert "Terlalu banyak percobaan. Coba lagi dalam" in answer.text
    assert f'value="{NIM}"' in answer.text, "what was typed stays in the form"
    assert browser.post("/login", json={"nim": NIM, "password": PASSWORD}).status_code == 429


def test_another_address_is_not_limited(browser: FlaskClient) -> None:
    def guess(address: str, password: str = "salah") -> int:
        sent = {"nim": NIM, "password": password}
        from_there = {"REMOTE_ADDR": address}
        return browser.post("/login", json=sent, environ_base=from_there).status_code

    assert [guess("10.0.0.1") for _ in range(11)][10] == 429
    assert guess("10.0.0.2", PASSWORD) == 200
    answers = [guess(f"2001:db8::{n}") for n in range(11)]
    assert answers == [401] * 10 + [429], "one customer has all of an IPv6 network"


@pytest.mark.parametrize("address", ["203.0.113.7:{}", "[2001:db8::7]:{}"])
def test_the_port_of_an_address_is_ignored(browser: FlaskClient, address: str) -> None:
    def guess(n: int) -> int:
        sent = {"nim": NIM, "password": "salah"}
        there = {"REMOTE_ADDR": address.format(n)}
        return browser.post("/login", json=sent, environ_base=there).status_code

    assert [guess(n) for n in range(11)] == [401] * 10 + [429]


def test_an_address_has_200_wrong_attempts_a_minute_but_any_number_of_log_ins(
    browser: FlaskClient,
) -> None:
    def try_(nim: str, code: str = "") -> int:
        sent = {"nim": nim, "code": code, "password": "salah-sekali"}
        return browser.post("/reset-password", json=sent).status_code

    assert [try_(f"n{n}") for n in range(200)] == [403] * 200
    assert try_("another") == 429
    for _ in range(12):
        answer = browser.post("/login", json={"nim": NIM, "password": PASSWORD})
        assert answer.status_code == 200
