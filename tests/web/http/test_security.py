"""Checks of every request and response: origin, policy, form of errors, session."""

from collections.abc import Callable

import pytest
from flask import Flask, session
from flask.testing import FlaskClient

ClientAs = Callable[[str], FlaskClient]

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost.evil.example"},
]
OURS = [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin"}]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_change_from_another_site_is_refused(
    client_as: ClientAs, headers: dict[str, str]
) -> None:
    answer = client_as("member").post("/logout", headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("headers", OURS)
def test_a_change_from_our_own_page_or_a_script_is_allowed(
    client_as: ClientAs, headers: dict[str, str]
) -> None:
    assert client_as("member").post("/logout", headers=headers).status_code == 303


def test_reads_from_another_site_are_allowed(client_as: ClientAs) -> None:
    answer = client_as("nobody").get("/login", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200


def test_the_public_address_is_our_origin_behind_a_proxy(
    settings: dict[str, str], app: Flask
) -> None:
    app.config["PUBLIC_URL"] = "https://ukm.kampus.ac.id"
    client = app.test_client()
    ours = client.post("/login", headers={"Origin": "https://ukm.kampus.ac.id"})
    internal = client.post("/login", headers={"Origin": "http://localhost"})
    assert (ours.status_code, internal.status_code) == (401, 403)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://kampus.example:5000", "Kampus.Example:5000"),
        ("http://kampus.example", "KAMPUS.example:80"),
        ("https://kampus.example", "kampus.example:443"),
        ("https://kampus.example:8443", "kampus.example:8443"),
        ("http://[::1]:5000", "[::1]:5000"),
        ("http://xn--kampus-cua.example", "xn--Kampus-cua.example"),
    ],
)
def test_origin_and_host_are_compared_without_case_and_default_port(
    client_as: ClientAs, origin: str, host: str
) -> None:
    client = client_as("nobody")
    headers = {"Host": host, "Origin": origin}
    assert client.post("/login", headers=headers).status_code == 401
    assert client.post("/login", headers=headers | {"Host": f"x{host}"}).status_code == 403


@pytest.mark.parametrize("origin", ["kampus.example", "http://", "http://kampus.example:x", "//"])
def test_a_malformed_origin_is_refused(client_as: ClientAs, origin: str) -> None:
    headers = {"Host": "kampus.example", "Origin": origin}
    assert client_as("nobody").post("/login", headers=headers).status_code == 403


def test_every_response_has_a_strict_content_security_policy(client_as: ClientAs) -> None:
    for path in ("/login", "/no-such-page", "/static/css/tokens.css"):
        answer = client_as("nobody").get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        answer.close()


def test_errors_are_pages_for_browsers_and_json_for_scripts(client_as: ClientAs) -> None:
    client = client_as("nobody")
    page = client.get("/no-such-page")
    script = client.get("/no-such-page", headers={"Accept": "application/json"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert script.get_json()["error"]["code"] == "not_found"


def test_a_request_from_another_address_gets_no_new_cookie(client_as: ClientAs) -> None:
    # A late response could replace the cookie after the browser has logged in as somebody else.
    member = client_as("member")
    for address in ("192.0.2.1", "192.0.2.2"):
        answer = member.get("/ukm", environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers


def test_a_changed_session_does_not_leak_into_other_requests(
    app: Flask, client_as: ClientAs
) -> None:
    member = client_as("member")
    with member.session_transaction() as changed:
        changed["one_time_code"] = {"code": "one"}
    cookie = member.get_cookie("myukm")
    assert cookie
    environ = {"HTTP_COOKIE": f"myukm={cookie.value}"}
    with app.test_request_context("/", environ_overrides=environ):
        session["one_time_code"]["code"] = "two"
    with app.test_request_context("/", environ_overrides=environ):
        assert session["one_time_code"] == {"code": "one"}
