"""Alerts are sent once when a finding lasts, again when it gets worse, and once when it is over."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select

import config
from myukm import create_app, valkey_clients
from myukm.extensions import connect_valkey, db
from myukm.live import event_log, pubsub
from myukm.models import Alert
from myukm.ops import api_probe, causes, failing_channels
from myukm.ops.alerts import channels, handover, outbox, records, watch
from myukm.ops.alerts import monitor as monitoring
from myukm.ops.alerts.monitor import AlertMonitor
from myukm.ops.alerts.watch import AlertWatch
from tests.conftest import every_database
from tests.ops.test_doctor import queue_old_jobs
from tests.support.mail_server import MailServer
from tests.support.receiver import Receiver, receiving
from tests.support.waiting import wait_until
from tests.support.without_valkey import lose_valkey


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Valkey may be slow, because a busy machine would make it unreachable for the doctor."""
    monkeypatch.setattr(valkey_clients, "REQUEST_SECONDS", 10.0)


@pytest.fixture
def receiver(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """The app's webhook; a channel that fails is retried at once."""
    monkeypatch.setattr(outbox, "FIRST_PAUSE_SECONDS", 0.02)
    with receiving() as server:
        app.config["ALERT_WEBHOOK_URL"] = server.url
        yield server
        server.refuses = False
        box = app.extensions.get("alert_outbox")
        wait_until(lambda: box is None or "webhook" not in box._waiting, 30, "all is delivered")


def examine(app: Flask, *monitors: AlertMonitor | AlertWatch) -> None:
    """Let each monitor examine four times with empty caches, because a finding must last."""
    for _ in range(4):
        for one in monitors:
            with app.app_context():
                for name in [name for name in app.extensions if name.startswith("ttl_cache:")]:
                    app.extensions[name].clear()
                one.evaluate() if isinstance(one, AlertMonitor) else one.poll()


def alerts(app: Flask) -> list[tuple[str, bool]]:
    """Return all stored alerts as (code, resolved)."""
    with app.app_context():
        rows = db.session.execute(select(Alert.code, Alert.resolved_at).order_by(Alert.id))
        return [(code, resolved is not None) for code, resolved in rows]


def events(app: Flask, code: str) -> list[tuple[bool, str]]:
    """Return the events about a finding as (resolved, level)."""
    with app.app_context():
        events = [json.loads(e.data) for e in event_log.since(0, 100) if e.topic == "alert"]
        return [(each["resolved"], each["level"]) for each in events if each["code"] == code]


@contextmanager
def without_database(app: Flask) -> Iterator[None]:
    """Replace the database's file by a folder, so that it cannot be opened."""
    with app.app_context():
        path = Path(str(db.engine.url.database))
        db.engine.dispose()
    files = list(path.parent.glob(f"{path.name}*"))
    for each in files:
        each.rename(each.with_name(f"away-{each.name}"))
    path.mkdir()
    yield
    path.rmdir()
    for each in files:
        each.with_name(f"away-{each.name}").rename(each)


@every_database
def test_a_finding_that_lasts_is_one_alert_until_it_is_over(
    app: Flask, settings: dict[str, str], receiver: Receiver
) -> None:
    monitor = AlertMonitor()
    lose_valkey(app)
    with app.app_context():
        monitor.evaluate()
    assert alerts(app) == [], "a single poll alerts nobody"
    examine(app, monitor, AlertMonitor())
    assert alerts(app) == [("valkey_unreachable", False)]
    app.config["REDIS_URL"] = settings["REDIS_URL"]
    connect_valkey(app)
    examine(app, monitor)
    assert ("valkey_unreachable", True) in alerts(app)
    assert events(app, "valkey_unreachable") == [(False, "broken"), (True, "broken")]
    wait_until(lambda: receiver.kinds("valkey_unreachable") == ["new", "over"], 30)
    assert receiver.got[0]["cure"].startswith("Jalankan server Valkey")
    assert receiver.got[0]["host"]


def test_without_the_database_an_alert_is_sent_and_stored_later(
    app: Flask, receiver: Receiver
) -> None:
    monitor = AlertMonitor()
    examine(app, monitor)
    assert alerts(app) == [("no_worker", False)]
    with without_database(app):
        examine(app, monitor)
        wait_until(lambda: receiver.kinds("database_unreachable") == ["new"], 30)
        assert "over" not in receiver.kinds("no_worker"), "what cannot be examined is not over"
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("database_unreachable") == ["new", "over"], 30)
    assert ("database_unreachable", True) in alerts(app)
    assert events(app, "database_unreachable") == [(False, "broken"), (True, "broken")]


def test_a_process_that_starts_without_the_database_loads_its_open_alerts_later(
    app: Flask, valkey: redis.Redis, receiver: Receiver
) -> None:
    valkey.set("rq:suspended", 1)
    examine(app, AlertMonitor())
    wait_until(lambda: receiver.kinds("workers_suspended") == ["new"], 30)
    valkey.delete("rq:suspended", records.KEY)
    second = AlertMonitor()
    with without_database(app):
        examine(app, second)
    examine(app, second)
    wait_until(lambda: receiver.kinds("workers_suspended") == ["new", "over"], 30)
    assert ("workers_suspended", True) in alerts(app)


def test_a_process_that_polls_again_stores_nothing_of_its_first_turn(app: Flask) -> None:
    first = AlertMonitor()
    with without_database(app):
        examine(app, first)
        first.reset()
    assert first.records.open == {}
    with app.app_context():
        first.records.store()
    assert alerts(app) == []


def test_an_alert_is_not_over_while_another_finding_hides_it(
    app: Flask, valkey: redis.Redis, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = AlertMonitor()
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("no_worker") == ["new"], 30)
    monkeypatch.setitem(causes.CONSEQUENCES, "disk_full", {"no_worker"})
    usage = shutil.disk_usage("/")
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**8))
        examine(app, monitor)
        wait_until(lambda: receiver.kinds("disk_full") == ["new"], 30)
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("disk_full") == ["new", "over"], 30)
    assert receiver.kinds("no_worker") == ["new"]


def test_an_alert_is_not_over_while_its_check_cannot_ask_valkey(
    app: Flask, settings: dict[str, str], valkey: redis.Redis, receiver: Receiver
) -> None:
    """The check of the payment API queries the database and Valkey."""
    monitor = AlertMonitor()
    store_probe(valkey, ok=False)
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("api_unreachable") == ["new"], 30)
    lose_valkey(app)
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("valkey_unreachable") == ["new"], 30)
    assert ("api_unreachable", False) in alerts(app)
    store_probe(valkey, ok=True)
    app.config["REDIS_URL"] = settings["REDIS_URL"]
    connect_valkey(app)
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("api_unreachable") == ["new", "over"], 30)


def store_probe(valkey: redis.Redis, *, ok: bool) -> None:
    """Store a probe of the payment API as the leader does."""
    found = api_probe.Probe("http://api", ok, False, "HTTP 200" if ok else "HTTP 503")
    valkey.set(api_probe.KEY, json.dumps(asdict(found)))


def test_an_alert_is_not_over_while_its_check_crashes(
    app: Flask, valkey: redis.Redis, receiver: Receiver
) -> None:
    monitor = AlertMonitor()
    store_probe(valkey, ok=False)
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("api_unreachable") == ["new"], 30)
    valkey.set(api_probe.KEY, "no JSON")
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("check_crashes") == ["new"], 30)
    assert ("api_unreachable", False) in alerts(app)
    store_probe(valkey, ok=True)
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("check_crashes") == ["new", "over"], 30)
    wait_until(lambda: receiver.kinds("api_unreachable") == ["new", "over"], 30)


def test_an_alert_of_another_process_is_not_over_while_valkey_is_away(
    app: Flask, valkey: redis.Redis, receiver: Receiver
) -> None:
    """Its row does not say which check found it."""
    valkey.set("rq:suspended", 1)
    examine(app, AlertMonitor())
    wait_until(lambda: receiver.kinds("workers_suspended") == ["new"], 30)
    lose_valkey(app)
    examine(app, AlertMonitor())
    assert ("workers_suspended", False) in alerts(app)


def test_findings_are_published_to_open_pages_without_the_database(
    app: Flask, valkey: redis.Redis
) -> None:
    messages = valkey.pubsub()
    messages.subscribe(pubsub.CHANNEL)
    with without_database(app):
        examine(app, AlertWatch(app, "a", lambda: None))
        wait_until(
            lambda: "database_unreachable" in str(messages.get_message(timeout=1)),
            30,
            "it is published",
        )
    messages.close()


def test_an_alert_that_gets_worse_is_sent_again(
    app: Flask, valkey: redis.Redis, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = AlertMonitor()
    valkey.set("rq:suspended", 1)
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("workers_suspended") == ["new"], 30)
    queue_old_jobs(app, valkey, 2)
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("workers_suspended") == ["new", "worse"], 30)
    monkeypatch.setattr(monitoring, "REMIND_SECONDS", 0.0)
    with app.app_context():
        monitor.evaluate()
    wait_until(lambda: receiver.kinds("workers_suspended")[-1] == "reminder", 30)
    assert alerts(app) == [("workers_suspended", False)]
    assert events(app, "workers_suspended") == [(False, "warning"), (False, "broken")]


def test_one_process_polls_and_the_next_one_knows_what_was_sent(
    app: Flask, settings: dict[str, str], valkey: redis.Redis, receiver: Receiver
) -> None:
    other = other_process(settings, receiver)
    first, second = AlertWatch(app, "a", lambda: True), AlertWatch(other, "b", lambda: True)
    valkey.set("rq:suspended", 1)
    examine(app, first)
    examine(other, second)
    wait_until(lambda: receiver.kinds("workers_suspended") == ["new"], 30)
    wait_until(lambda: "webhook" not in app.extensions["alert_outbox"]._waiting, 30, "all is sent")
    examine(app, first)  # a poll after the delivery, which takes the message from the copy
    valkey.delete(watch.KEY)
    examine(other, second)
    examine(app, first)
    valkey.delete("rq:suspended")
    examine(other, second)
    examine(app, first)
    wait_until(lambda: receiver.kinds("workers_suspended") == ["new", "over"], 30)


def other_process(settings: dict[str, str], receiver: Receiver) -> Flask:
    """Return an app with the same database and Valkey, as another process has it."""
    return create_app(config.load({**settings, "ALERT_WEBHOOK_URL": receiver.url}))


def test_after_a_restart_with_the_right_setting_the_waiting_alerts_are_sent(
    app: Flask, settings: dict[str, str], valkey: redis.Redis, receiver: Receiver
) -> None:
    valkey.set("rq:suspended", 1)
    with receiving() as wrong:
        wrong.refuses = True
        before = other_process(settings, wrong)
        examine(before, AlertWatch(before, "a", lambda: True))
        wait_until(lambda: before.extensions["alert_outbox"].failing, 30)
        examine(before, AlertWatch(before, "a", lambda: True))
        before.extensions["alert_outbox"].clear()  # as the end of the process does

        still_wrong = other_process(settings, wrong)
        with still_wrong.app_context():
            AlertWatch(still_wrong, "a", lambda: True).poll()
            assert list(failing_channels.published()) == ["webhook"], "the doctor still says so"
        still_wrong.extensions["alert_outbox"].clear()

    restarted = AlertWatch(app, "a", lambda: True)
    examine(app, restarted)
    wait_until(lambda: receiver.kinds("workers_suspended") == ["new"], 30)
    wait_until(lambda: "webhook" not in app.extensions["alert_outbox"]._waiting, 30, "all is sent")
    examine(app, restarted)
    assert receiver.kinds("workers_suspended") == ["new"]
    with app.app_context():
        assert failing_channels.published() == {}
    assert not valkey.exists(handover.KEY)


def test_the_next_process_sends_what_waits_and_the_former_one_does_not(
    app: Flask, settings: dict[str, str], valkey: redis.Redis, receiver: Receiver
) -> None:
    other = other_process(settings, receiver)
    first, second = AlertWatch(app, "a", lambda: True), AlertWatch(other, "b", lambda: True)
    receiver.refuses = True
    valkey.set("rq:suspended", 1)
    examine(app, first)
    valkey.delete(watch.KEY)
    examine(other, second)
    examine(app, first)
    wait_until(lambda: "webhook" not in app.extensions["alert_outbox"]._waiting, 30, "it forgot")
    receiver.refuses = False
    wait_until(lambda: "webhook" not in other.extensions["alert_outbox"]._waiting, 30, "it sent")
    assert receiver.kinds("workers_suspended") == ["new"]


def test_a_message_that_could_not_be_copied_is_sent_by_its_own_process(
    app: Flask, receiver: Receiver
) -> None:
    receiver.refuses = True
    lose_valkey(app)
    leads = [True]
    former = AlertWatch(app, "a", lambda: leads[0])
    examine(app, former)
    leads[0] = False
    examine(app, former)
    receiver.refuses = False
    wait_until(lambda: receiver.kinds("valkey_unreachable") == ["new"], 30)


def test_messages_of_a_channel_that_is_no_longer_set_are_dropped(
    app: Flask, valkey: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    valkey.hset(handover.KEY, "email", json.dumps([{"code": "one"}]))
    examine(app, AlertMonitor())
    assert "dropped 1 alerts by email" in caplog.text
    assert not valkey.exists(handover.KEY)


def test_the_leader_polls_and_another_process_if_nobody_has_for_long(
    app: Flask, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    leader = ["a"]
    first = AlertWatch(app, "a", lambda: "a" in leader)
    second = AlertWatch(app, "b", lambda: "b" in leader)

    def polls() -> list[bool]:
        with app.app_context():
            return [each._is_watcher() for each in (second, first)]

    assert polls() == [False, True]
    leader[:] = ["b"]
    assert polls() == [False, False], "the former leader stops first"
    assert polls() == [True, False]
    valkey.delete("myukm:alerts:watcher")
    leader.clear()
    assert polls() == [False, False]
    monkeypatch.setattr(watch, "VACANT_SECONDS", 0.0)
    assert polls() == [True, False]
    assert polls() == [True, False], "it goes on"


def test_without_valkey_and_database_one_process_of_the_machine_sends_alerts(
    app: Flask, receiver: Receiver, tmp_path: Path
) -> None:
    app.instance_path = str(tmp_path)
    lose_valkey(app)
    with without_database(app):
        both = [AlertWatch(app, name, lambda: None) for name in ("a", "b")]
        examine(app, *both)
        wait_until(lambda: receiver.kinds("database_unreachable"), 30)
        wait_until(lambda: receiver.kinds("valkey_unreachable"), 30)
        for each in both:
            each.close()
    wait_until(lambda: "webhook" not in app.extensions["alert_outbox"]._waiting, 30, "delivered")
    assert len(receiver.got) == 2


def test_a_failing_channel_is_reported_by_the_others_and_gets_its_messages_later(
    app: Flask, valkey: redis.Redis, receiver: Receiver
) -> None:
    watch = AlertWatch(app, "a", lambda: True)
    valkey.set("rq:suspended", 1)
    with receiving() as other:
        app.config["ALERT_URLS"] = f"json://127.0.0.1:{other.server_address[1]}/hook"
        receiver.refuses = True
        examine(app, watch)
        wait_until(lambda: app.extensions["alert_outbox"].failing, 30)
        examine(app, watch)
        examine(app, watch)
        wait_until(lambda: any("alerts_undelivered" in each["title"] for each in other.got), 30)
        receiver.refuses = False
        wait_until(lambda: receiver.kinds("workers_suspended") == ["new"], 30)


def test_a_channel_with_an_unexpected_error_is_reported_and_gets_its_messages_later(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "FIRST_PAUSE_SECONDS", 0.02)
    box, taken = outbox.Outbox(), list[object]()

    def send(message: object) -> None:
        if not box.failing:
            raise UnicodeEncodeError("ascii", "kata sandi é", 0, 1, "secret")
        taken.append(message)

    with app.app_context():
        box.put({"code": "one"}, {"email": send})
        wait_until(lambda: taken, 30, "it is tried until it is taken")
    assert not box.failing


def test_a_message_that_makes_the_code_fail_does_not_block_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "MAX_PAUSE_SECONDS", 0.02)
    box, taken = outbox.Outbox(), list[Mapping[str, Any]]()

    def send(message: Mapping[str, Any]) -> None:
        taken.append({"title": message["title"]})

    for message in ({"code": "one"}, {"code": "two", "title": "!"}):
        box.put(message, {"webhook": send})
    wait_until(lambda: taken, 30, "the first one is dropped, because each attempt is a KeyError")


def test_a_service_that_refuses_is_reported_in_the_campus_language(
    settings: dict[str, str],
) -> None:
    with receiving() as server:
        server.refuses = True
        url = f"json://127.0.0.1:{server.server_address[1]}/hook"
        app = create_app(config.load({**settings, "MYUKM_LANG": "en", "ALERT_URLS": url}))
        with app.app_context():
            send = channels.configured()["json-1"]
        with pytest.raises(channels.NotDelivered, match="the service did not take it"):
            send(message_about("one"))


def test_a_message_is_sent_although_a_full_channel_drops_the_one_being_sent(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 2)
    box, sending, sent = outbox.Outbox(), threading.Event(), list[str]()

    def send(message: Mapping[str, Any]) -> None:
        sending.wait(30)
        sent.append(message["code"])

    with app.app_context():
        for code in ("one", "two", "three"):
            box.put({"code": code}, {"webhook": send})
    sending.set()
    wait_until(lambda: "webhook" not in box._waiting, 30, "all is delivered")
    assert sent == ["one", "two", "three"]


def test_a_full_channel_logs_what_it_drops(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 1)
    box, sending = outbox.Outbox(), threading.Event()

    def send(_: object) -> None:
        sending.wait(30)

    for code in ("one", "two"):
        box.put({"code": code}, {"webhook": send})
    assert "dropped the alert one by webhook" in caplog.text
    sending.set()
    wait_until(lambda: "webhook" not in box._waiting, 30, "all is delivered")


def refused_at_first(
    receiver: Receiver, send: channels.Send, attempts: list[str], status: int
) -> channels.Send:
    """Return a channel whose receiver refuses "one" for good, and "two" 20 times with `status`."""

    def attempt(message: Mapping[str, Any]) -> None:
        attempts.append(message["code"])
        receiver.refuses = message["code"] == "one" or attempts.count("two") <= 20
        receiver.refusal = 413 if message["code"] == "one" else status
        send(message)

    return attempt


def test_a_message_that_its_receiver_refuses_does_not_block_the_next_one(
    app: Flask,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(outbox, "MAX_PAUSE_SECONDS", 0.02)
    box, attempts = outbox.Outbox(), list[str]()
    with app.app_context():
        post = channels.configured()["webhook"]

    send = refused_at_first(receiver, post, attempts, 404)
    box.put({"code": "one"}, {"webhook": send})
    box.put({"code": "two", "kind": "new"}, {"webhook": send})
    wait_until(lambda: receiver.kinds("two") == ["new"], 30, "a wrong address may be corrected")
    assert attempts == ["one"] * 10 + ["two"] * 21
    assert caplog.text.count("dropped the alert one by webhook") == 1


def test_a_mail_that_its_server_refuses_for_good_does_not_block_the_next_one(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox, "MAX_PAUSE_SECONDS", 0.02)
    app.config["ALERT_EMAIL_TO"] = "operator@kampus.example"
    box = outbox.Outbox()
    with MailServer() as server, app.app_context():
        app.config["SMTP_URL"], server.refused = server.url, "! one "
        for code in ("one", "two"):
            box.put(message_about(code), channels.configured())
        wait_until(lambda: server.mails, 30, "the second one arrives")
        assert server.seen.count("clear DATA") == 11
    assert caplog.text.count("dropped the alert one by email") == 1


def test_a_message_that_a_service_refuses_for_good_does_not_block_the_next_one(
    app: Flask,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(outbox, "MAX_PAUSE_SECONDS", 0.02)
    app.config["ALERT_URLS"] = f"json://127.0.0.1:{receiver.server_address[1]}/hook"
    box, attempts = outbox.Outbox(), list[str]()
    with app.app_context():
        notify = channels.configured()["json-1"]

    send = refused_at_first(receiver, notify, attempts, 503)
    for code in ("one", "two"):
        box.put(message_about(code), {"json-1": send})
    wait_until(lambda: receiver.got, 30, "a busy service gets it later")
    assert attempts == ["one"] * 10 + ["two"] * 21
    assert caplog.text.count("dropped the alert one by json-1") == 1


def message_about(code: str) -> dict[str, Any]:
    """Return a message as the monitor puts it into the outbox."""
    texts = dict.fromkeys(("host", "kind_text", "message", "cure", "since", "url"), "x")
    return {**texts, "code": code, "resolved": False}


def test_a_channel_whose_thread_cannot_start_sends_at_a_later_poll(
    app: Flask, valkey: redis.Redis, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor, start = AlertMonitor(), threading.Thread.start

    def at_the_limit(thread: threading.Thread) -> None:
        if "_deliver" in thread.name:
            raise RuntimeError("can't start new thread")
        start(thread)

    valkey.set("rq:suspended", 1)
    with monkeypatch.context() as system:
        system.setattr(threading.Thread, "start", at_the_limit)
        examine(app, monitor)
    examine(app, monitor)
    wait_until(lambda: receiver.kinds("workers_suspended") == ["new"], 30)


def test_alerts_that_a_newer_version_left_are_taken_over(
    app: Flask, receiver: Receiver, valkey: redis.Redis
) -> None:
    examine(app, AlertMonitor())
    ((key, text),) = valkey.hgetall(records.KEY).items()
    valkey.hset(records.KEY, key, json.dumps({**json.loads(text), "of_a_newer_version": 1}))
    examine(app, AlertMonitor())
    assert alerts(app) == [("no_worker", False)]
    assert receiver.kinds("no_worker") == ["new"]


def test_alerts_that_a_much_older_version_left_do_not_stop_new_ones(
    app: Flask, receiver: Receiver, valkey: redis.Redis
) -> None:
    valkey.hset(records.KEY, "no_worker", json.dumps({"key": "no_worker", "told_at": 1.0}))
    examine(app, AlertMonitor())
    assert alerts(app) == [("no_worker", False)]
    wait_until(lambda: receiver.kinds("no_worker") == ["new"], 30, "the alert is sent")


def test_a_redirect_of_the_webhook_is_no_delivery(app: Flask, receiver: Receiver) -> None:
    receiver.refuses, receiver.refusal = True, 301
    done = FlaskCliRunner(app).invoke(args=("alert", "test"))
    assert (done.exit_code, done.output) == (1, "webhook: gagal, HTTP 301\n")


def test_an_alert_is_sent_by_mail(app: Flask) -> None:
    app.config["ALERT_EMAIL_TO"] = "operator@kampus.example"
    app.config["PUBLIC_URL"] = "https://ukm.kampus.example"
    lose_valkey(app)
    with MailServer() as server:
        app.config["SMTP_URL"] = server.url
        examine(app, AlertMonitor())
        text = wait_until(lambda: server.mails, 30)[0]
    assert "valkey_unreachable" in text
    assert "https://ukm.kampus.example/admin/antrian" in text


def test_an_outside_monitor_gets_heartbeats_while_nothing_is_broken(
    app: Flask, receiver: Receiver, valkey: redis.Redis
) -> None:
    app.config["HEARTBEAT_URL"] = receiver.url
    queue_old_jobs(app, valkey, 1)
    examine(app, AlertWatch(app, "a", lambda: True))
    for each in threading.enumerate():
        if each.name == "heartbeat":
            each.join(30)
    assert receiver.request_count == 0
    valkey.flushall()
    examine(app, AlertWatch(app, "a", lambda: True))
    wait_until(lambda: receiver.request_count == 1, 30)


def test_the_command_names_a_channel_that_is_not_complete(app: Flask) -> None:
    run: Callable[..., Any] = FlaskCliRunner(app).invoke
    done = run(args=("alert", "test"))
    assert (done.exit_code, done.output.partition(":")[0]) == (1, "Belum ada saluran")
    app.config["ALERT_EMAIL_TO"] = "operator@kampus.example"
    done = run(args=("alert", "test"))
    assert (done.exit_code, done.output) == (1, "email: gagal, atur juga SMTP_URL\n")


def test_the_command_tries_every_channel(app: Flask, receiver: Receiver) -> None:
    run: Callable[..., Any] = FlaskCliRunner(app).invoke
    done = run(args=("alert", "test"))
    assert (done.exit_code, done.output) == (0, "webhook: terkirim\n")
    assert receiver.got[0]["kind"] == "test"
    receiver.refuses = True
    done = run(args=("alert", "test"))
    assert (done.exit_code, done.output) == (1, "webhook: gagal, HTTP 500\n")
    examine(app, AlertMonitor())
    line = run(args=("alert", "list")).output.splitlines()[0]
    assert "berlangsung  warning  no_worker" in line
