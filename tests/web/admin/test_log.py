"""The page of the log: roles, filters, and without Valkey."""

import logging
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.logs.shipper import LogShipper
from tests.support.without_valkey import lose_valkey

ClientAs = Callable[[str], FlaskClient]
JSON = {"Accept": "application/json"}
logger = logging.getLogger("myukm.tests.page")
security = logging.getLogger("myukm.security")


@pytest.fixture
def shipper(app: Flask) -> Iterator[LogShipper]:
    handler = LogShipper(app.config["REDIS_URL"], "web")
    for each in (logger, security):
        each.addHandler(handler)
        each.setLevel(logging.INFO)
    yield handler
    for each in (logger, security):
        each.removeHandler(handler)


def test_only_operators_and_admins_see_the_log(client_as: ClientAs) -> None:
    for who in ("admin", "operator"):
        assert client_as(who).get("/admin/log").status_code == 200
    for who in ("bendahara", "member"):
        assert client_as(who).get("/admin/log").status_code == 403
    assert client_as("nobody").get("/admin/log").location == "/login?next=/admin/log"
    assert client_as("nobody").get("/admin/log", headers=JSON).status_code == 401


def test_lines_are_filtered_and_continue_after_the_cursor(
    client_as: ClientAs, shipper: LogShipper
) -> None:
    operator = client_as("operator")
    logger.info("quiet")
    logger.warning("loud <i>")
    shipper.flush()

    def shown(**query: str) -> list[str]:
        found = operator.get("/admin/log", query_string=query, headers=JSON).json
        return [line["message"] for line in found["lines"]]

    assert shown() == ["loud <i>", "quiet"]
    assert shown(level="WARNING") == ["loud <i>"]
    assert shown(q="QUIET") == ["quiet"]
    assert shown(process="worker") == shown(run="7") == shown(request="abc") == []
    cursor = operator.get("/admin/log", headers=JSON).json["cursor"]
    assert shown(after=cursor) == []
    assert len(shown(after="no id")) == 2
    assert "loud <i>" not in operator.get("/admin/log").text


@pytest.mark.parametrize("cursor", ["٣-٠", "99999999999999999999-0", f"{2**64 - 1}-{2**64 - 1}"])
def test_a_cursor_that_valkey_would_refuse_is_ignored(
    client_as: ClientAs, shipper: LogShipper, cursor: str
) -> None:
    logger.info("quiet")
    shipper.flush()
    answer = client_as("operator").get("/admin/log", query_string={"after": cursor}, headers=JSON)
    assert [line["message"] for line in answer.json["lines"]] == ["quiet"]


def test_the_security_log_is_for_admins(client_as: ClientAs, shipper: LogShipper) -> None:
    security.info("event=user.block account=7")
    shipper.flush()
    assert "user.block" in client_as("admin").get("/admin/log").text
    assert "user.block" not in client_as("operator").get("/admin/log").text


def test_a_response_has_a_request_id(client_as: ClientAs, app: Flask) -> None:
    answer = client_as("nobody").get("/login", headers={"X-Request-ID": "a-strangers-id"})
    assert len(answer.headers["X-Request-ID"]) == 16
    app.config["TRUSTED_PROXIES"] = 1
    sent = {"X-Request-ID": "of-the-proxy-1"}
    assert (
        client_as("nobody").get("/login", headers=sent).headers["X-Request-ID"]
        == sent["X-Request-ID"]
    )
    odd = client_as("nobody").get("/login", headers={"X-Request-ID": "a b\tc"})
    assert len(odd.headers["X-Request-ID"]) == 16


def test_the_page_says_that_valkey_is_unreachable(client_as: ClientAs, app: Flask) -> None:
    operator = client_as("operator")
    lose_valkey(app)
    page = operator.get("/admin/log")
    answer = operator.get("/admin/log", headers=JSON)
    assert (page.status_code, answer.status_code) == (200, 503)
    assert "Valkey tidak menjawab" in page.text
    assert "journalctl" in page.text
