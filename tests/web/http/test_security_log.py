"""The security log: its events, no secrets in them, and that nobody forges a line."""

import logging
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.domain import activity
from myukm.domain.actor import Actor
from myukm.logs.lines import SECURITY, JsonFormatter, TextFormatter
from tests.support.people import PASSWORD
from tests.support.programs import ROOT, WebServer
from tests.support.waiting import wait_until

As = Callable[[str], FlaskClient]
LINE = re.compile(r"event=[a-z_.]+( [a-z]+=[A-Za-z0-9%/:@+._~-]*)+")
WRONG = "salah-sekali-ini"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[dict[str, str]]]:
    """`lines("login.failed")` returns the log lines of that event, as dictionaries."""
    caplog.set_level(logging.INFO, "myukm.security")

    def read(event: str) -> list[dict[str, str]]:
        found = [r.getMessage() for r in caplog.records if r.name == "myukm.security"]
        assert all(LINE.fullmatch(line) for line in found), found
        pairs = [dict(pair.split("=") for pair in line.split(" ")) for line in found]
        return [line for line in pairs if line["event"] == event]

    return read


def test_a_failed_log_in_is_logged_with_address_and_account_without_a_secret(
    client_as: As, people: dict[str, int], lines: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = client_as("nobody")
    for form in ({"nim": "2024001"}, {"nim": "tidak-ada"}):
        assert nobody.post("/login", data={**form, "password": WRONG}).status_code == 401
    known, unknown = lines("login.failed")
    assert known["target"] == str(people["member"])
    assert (known["address"], known["path"], known["status"]) == ("127.0.0.1", "/login", "401")
    assert "target" not in unknown
    assert WRONG not in caplog.text
    assert "tidak-ada" not in caplog.text, "a password typed into the wrong field"


def test_a_log_in_above_the_rate_limit_is_refused_and_logged(
    client_as: As, lines: Callable
) -> None:
    nobody = client_as("nobody")
    answers = [nobody.post("/login", json={"nim": "x", "password": "y"}) for _ in range(12)]
    assert answers[-1].status_code == 429
    assert lines("login.refused")[-1]["status"] == "429"


def test_an_ended_session_is_not_logged_as_a_wrong_password(client_as: As, lines: Callable) -> None:
    nobody = client_as("nobody")
    sent = {"current": PASSWORD, "new": "kata sandi yang baru"}
    assert nobody.post("/profile/password", json=sent).status_code == 401
    assert nobody.post("/ukm/join", json={"code": "ABCD-EFGH"}).status_code == 401
    assert lines("password.failed") == lines("join.failed") == []


def test_a_log_in_is_logged_with_its_account(
    client_as: As, people: dict[str, int], lines: Callable
) -> None:
    client_as("nobody").post("/login", json={"nim": "2024001", "password": PASSWORD})
    assert [line["account"] for line in lines("login.succeeded")] == [str(people["member"])]


def test_refused_access_to_each_kind_of_page_is_logged(
    client_as: As, people: dict[str, int], lines: Callable
) -> None:
    outsider = client_as("outsider")
    for path in ("/admin/users", "/ukm/ROBOTIK/chat", "/ukm/ROBOTIK/messages", "/admin/rq/"):
        assert outsider.get(path).status_code in (403, 404)
    found = lines("access.refused")
    assert [line["path"] for line in found] == [
        "/admin/users",
        "/ukm/ROBOTIK/chat",
        "/ukm/ROBOTIK/messages",
        "/admin/rq/",
    ]
    assert {line["account"] for line in found} == {str(people["outsider"])}
    assert client_as("outsider").get("/no-such-page").status_code == 404
    assert len(lines("access.refused")) == len(found), "a missing page is not refused access"


def test_a_cross_site_request_is_logged_with_the_account(
    client_as: As, people: dict[str, int], lines: Callable
) -> None:
    client_as("member").post("/logout", headers={"Origin": "https://evil.example"})
    [line] = lines("cross_site")
    assert (line["account"], line["method"]) == (str(people["member"]), "POST")


def test_a_wrong_join_code_is_logged_without_the_code(
    client_as: As, lines: Callable, caplog: pytest.LogCaptureFixture
) -> None:
    client_as("outsider").post("/ukm/join", json={"code": "RAHASIA-1"})
    assert len(lines("join.failed")) == 1
    assert "RAHASIA" not in caplog.text


def test_a_wrong_student_code_is_logged_as_a_wrong_code(client_as: As, lines: Callable) -> None:
    assert client_as("member").post("/saya/hubungkan", json={"code": "SALAH"}).status_code == 403
    assert len(lines("link.failed")) == 1
    assert lines("access.refused") == []


def test_changes_of_rights_are_logged_and_stored_with_the_account(
    client_as: As, app: Flask, people: dict[str, int], lines: Callable
) -> None:
    admin = client_as("admin")
    admin.post(f"/admin/users/{people['friend']}/role", json={"role": "operator"})
    admin.post(f"/admin/users/{people['outsider']}/block")
    admin.post(f"/admin/users/{people['member']}/reset-code")
    for event in ("user.role.operator", "user.block", "user.reset_code"):
        assert [line["account"] for line in lines(event)] == [str(people["admin"])]
    assert "2024002" in lines("user.role.operator")[0]["subject"]
    with app.app_context():
        rows = activity.audit_page(actor_id=people["admin"]).items
        assert [row.action for row in rows] == [
            "user.reset_code",
            "user.block",
            "user.role.operator",
        ]
    page = admin.get(f"/admin/audit?actor={people['admin']}").text
    assert "memblokir 2024003 Rudi Hartono" in page
    assert f'href="/admin/audit?actor={people["admin"]}"' in page
    assert "memblokir 2024003" not in admin.get(f"/admin/audit?actor={people['member']}").text
    assert admin.get("/admin/audit?actor=x").status_code == 422


def test_the_use_of_a_code_is_logged_with_its_owner(
    client_as: As, app: Flask, people: dict[str, int], lines: Callable
) -> None:
    code = (
        client_as("admin").post(f"/admin/users/{people['member']}/reset-code", json={}).json["code"]
    )
    sent = {"nim": "2024001", "code": code, "password": "sandi baru yang panjang"}
    assert client_as("nobody").post("/reset-password", json=sent).status_code == 200
    invited = client_as("admin").post(
        "/admin/users/invitations", json={"nim": "77", "name": "Tujuh", "role": "anggota"}
    )
    sent = {"nim": "77", "code": invited.json["code"], "password": "sandi baru yang panjang"}
    registered = client_as("nobody").post("/register", json=sent).json
    client_as("outsider").post("/ukm/join", json={"code": "ROBOTIK"})
    assert lines("user.reset_password")[0]["account"] == str(people["member"])
    assert lines("user.create")[0]["account"] == str(registered["user_id"])
    assert lines("unit.joined")[0]["account"] == str(people["outsider"])


def test_a_change_that_was_rolled_back_is_not_logged(
    app: Flask, people: dict[str, int], lines: Callable
) -> None:
    with app.app_context():
        with transaction() as session:
            activity.record(Actor("Siti"), "user.block", "x")
            session.rollback()
        with transaction():
            activity.record(Actor("Siti"), "user.unblock", "x")
    assert lines("user.block") == []
    assert len(lines("user.unblock")) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/ukm/x%0d%0a2026-01-01 myukm.security event=login.failed address=10.1.1.1/chat",
        "/ukm/x event=login.failed address=10.1.1.1 path=y/chat",
        "/ukm/%22%27%00%1b[2J%e2%80%a8/chat",
        "/ukm/" + "a" * 5000 + "/chat",
    ],
)
def test_no_url_forges_a_line(client_as: As, lines: Callable, path: str) -> None:
    assert client_as("outsider").get(path).status_code == 404
    [line] = lines("access.refused")
    assert line["address"] == "127.0.0.1"
    assert len(line["path"]) < 1000


def test_a_name_forges_no_line(app: Flask, lines: Callable) -> None:
    with app.app_context(), transaction():
        activity.record(
            Actor("x"), "user.block", "1 Budi event=login.succeeded account=1\r\nzweite"
        )
    [line] = lines("user.block")
    assert "account" not in line
    assert lines("login.succeeded") == []


def test_a_web_server_prints_the_security_log(
    web: WebServer, session_as: Callable, people: dict
) -> None:
    session_as("outsider").get(f"{web.url}/admin/users", timeout=10)
    wanted = f"event=access.refused address=127.0.0.1 account={people['outsider']} status=403"
    wait_until(lambda: wanted in web.output(), 30, "the line is printed")
    [line] = [line for line in web.output().splitlines() if wanted in line]
    assert re.search(r"\d myukm\.security event=", line)


def test_the_line_that_the_manual_shows_has_the_logs_form(client_as: As, lines: Callable) -> None:
    client_as("nobody").post("/login", json={"nim": "x", "password": "y"})
    [line] = lines("login.failed")
    manual = (ROOT / "docs/operations.md").read_text()
    shown = re.search(r"myukm\.security (event=login\.failed .*)", manual)
    assert shown
    assert LINE.fullmatch(shown[1])
    keys = [pair.split("=")[0] for pair in shown[1].split(" ")]
    assert keys == [*list(line)[:2], "status", "code", "target", "method", "path"]
    pattern = re.search(r"failregex = (.*)", manual)
    assert pattern
    regex = pattern[1].replace("<ADDR>", r"(\S+)")
    record = logging.getLogger().makeRecord(SECURITY, logging.INFO, "", 0, shown[1], (), None)
    for formatter in (TextFormatter("web"), JsonFormatter("web")):
        found = re.search(regex, formatter.format(record))
        assert found
        assert found[1] == "203.0.113.9"
