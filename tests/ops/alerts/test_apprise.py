"""Services of Apprise, of which many do not say why they take no message."""

from collections.abc import Mapping
from typing import Any

import pytest
from apprise.decorators import notify
from flask import Flask

from devtools.ports import any_free
from myukm.ops.alerts import channels, outbox
from tests.ops.alerts.test_alerts import message_about
from tests.support.waiting import wait_until


@pytest.mark.parametrize("service", ["silent", "raising"])
def test_a_message_that_fails_without_a_reason_is_dropped_after_an_hour_of_attempts(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, service: str
) -> None:
    attempts: list[str] = []

    @notify(on=service)  # type: ignore[untyped-decorator]
    def take(body: str, title: str, notify_type: Any, **_: Any) -> bool:
        attempts.append(title.split()[2])
        if service == "raising" and attempts[-1] == "one":
            raise UnicodeError(title)
        return attempts[-1] == "two"

    monkeypatch.setattr(outbox, "MAX_PAUSE_SECONDS", 0.001)
    app.config["ALERT_URLS"] = f"{service}://"
    with app.app_context():
        send = channels.configured()
    box = outbox.Outbox()
    for code in ("one", "two"):
        box.put(message_about(code), send)
    wait_until(lambda: not box.waiting(), 30, "the second one is sent")
    assert attempts == ["one"] * 60 + ["two"]
    assert caplog.text.count(f"dropped the alert one by {service}-1") == 1


def test_a_message_to_a_service_that_is_away_is_tried_until_it_is_back(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MAX_PAUSE_SECONDS", 0.001)
    app.config["ALERT_URLS"] = f"json://127.0.0.1:{any_free()}"
    with app.app_context():
        away = channels.configured()["json-1"]
    box, attempts = outbox.Outbox(), list[str]()

    def send(message: Mapping[str, Any]) -> None:
        attempts.append(message["code"])
        if len(attempts) <= 80:
            away(message)

    box.put(message_about("one"), {"json-1": send})
    wait_until(lambda: not box.waiting(), 60, "it is back")
    assert len(attempts) == 81


def test_attempts_during_an_outage_do_not_count_as_refusals(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MAX_PAUSE_SECONDS", 0.001)
    box, attempts = outbox.Outbox(), list[str]()

    def send(message: Mapping[str, Any]) -> None:
        attempts.append(message["code"])
        if len(attempts) <= 20:
            raise channels.NotDelivered("away")
        if len(attempts) == 21:
            raise channels.Refused("starting")

    box.put(message_about("one"), {"hook": send})
    wait_until(lambda: not box.waiting(), 60, "it is delivered")
    assert len(attempts) == 22
