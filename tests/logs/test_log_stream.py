"""The last log lines of all processes in Valkey, without secrets and without delay for requests."""

import json
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
from flask import Flask
from flask.testing import FlaskClient
from rq import Queue

from devtools.ports import any_free
from devtools.valkey import start_valkey
from myukm.logs import log_stream, redaction
from myukm.logs.log_stream import Wanted
from myukm.logs.shipper import MAX_PENDING, WAIT_SECONDS, LogShipper, sending
from tests.support.no_threads import no_thread
from tests.support.programs import Program, WebServer
from tests.support.sync import create_students
from tests.support.waiting import wait_until
from tests.support.workers import job_process, kill, pid_of, wait_serving

logger = logging.getLogger("myukm.tests.stream")


@pytest.fixture
def shipper(app: Flask) -> Iterator[LogShipper]:
    """This test's logger sends its lines to Valkey."""
    handler = LogShipper(app.config["REDIS_URL"], "web")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)


def messages(app: Flask, **wanted: object) -> list[str]:
    """Return the messages that match, oldest first."""
    found = lines(app, Wanted(**wanted))  # type: ignore[arg-type]
    return [line["message"] for line in reversed(found)]


def lines(app: Flask, wanted: Wanted, most: int = 200) -> list[dict[str, Any]]:
    """Return the newest lines that match."""
    return log_stream.read(app.extensions["valkey"], wanted, most=most)["lines"]


def test_a_line_names_process_level_and_request(app: Flask, shipper: LogShipper) -> None:
    with app.test_request_context():
        logger.warning("half of %d", 7)
    shipper.flush()
    (line,) = lines(app, Wanted())
    assert line["message"] == "half of 7"
    assert line["level"] == "WARNING"
    assert line["process"] == "web"
    assert line["pid"] == os.getpid()
    assert len(line["request_id"]) == 16
    assert line["at"].endswith("Z")


def test_lines_are_filtered(app: Flask, shipper: LogShipper) -> None:
    with app.test_request_context():
        logger.info("one")
    logger.warning("two")
    logger.error("three", exc_info=ValueError("of a kind"))
    shipper.flush()
    request_id = lines(app, Wanted(text="ONE"))[0]["request_id"]
    assert messages(app) == ["one", "two", "three"]
    assert messages(app, level="WARNING") == ["two", "three"]
    assert messages(app, text="of a kind") == ["three"]
    logger.info('cannot read "C:\\\\bills"')
    shipper.flush()
    assert len(messages(app, text='read "C:\\\\bills"')) == 1, "the search escapes as JSON"
    assert messages(app, request_id=request_id) == ["one"]
    assert messages(app, process="worker") == []


@pytest.mark.parametrize("text", ["process", "level", ", ", '": "'])
def test_a_search_looks_in_values_and_not_in_names_of_fields(
    app: Flask, shipper: LogShipper, text: str
) -> None:
    logger.info("one")
    logger.info("process, level and %s", '": "')
    shipper.flush()
    assert messages(app, text=text) == ['process, level and ": "']


def test_secrets_are_never_sent(app: Flask, shipper: LogShipper, valkey: redis.Redis) -> None:
    redaction.register_secrets({"PEMBAYARAN_API_URL": "https://u:gEhEiM9@h/x"})
    try:
        raise OSError("cannot reach https://u:gEhEiM9@h/x")  # noqa: TRY301 (as a library would)
    except OSError as error:
        logger.exception("failed: %s", error)  # noqa: TRY401
    shipper.flush()
    stored = str(valkey.xrange(log_stream.KEY))
    assert "cannot reach" in stored
    assert "gEhEiM9" not in stored


@pytest.mark.parametrize("name", ["myukm.tests.stream", "rq.worker"])
def test_a_line_that_utf8_cannot_encode_is_sent_with_an_escape(
    app: Flask, shipper: LogShipper, name: str
) -> None:
    record = logging.getLogRecordFactory()
    cause = ValueError("x \ud83d")
    shipper.handle(record(name, logging.ERROR, "", 0, "y \ud83d", (), (ValueError, cause, None)))
    logger.info("next")
    wait_until(lambda: messages(app) == ["y \\ud83d", "next"], 20, "both lines are sent")
    assert lines(app, Wanted())[1]["trace"] == "ValueError: x \\ud83d"


def test_a_line_that_cannot_be_sent_does_not_stop_the_next_one(
    app: Flask, shipper: LogShipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logger.info("a word and no number: %d", "one")
    logger.info("next")
    wait_until(lambda: messages(app) == ["next"], 20, "the next line is sent")


def test_lines_are_sent_although_the_thread_cannot_start_at_first(
    app: Flask, shipper: LogShipper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    with monkeypatch.context() as system:
        system.setattr(threading.Thread, "start", no_thread)
        logger.info("one")
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, []), "no signal stays blocked"
    logger.info("two")
    wait_until(lambda: messages(app) == ["one", "two"], 20, "both lines are sent")


def test_only_the_last_ten_thousand_lines_are_kept(
    app: Flask, shipper: LogShipper, valkey: redis.Redis
) -> None:
    for count in range(12_000):
        logger.info("line %d", count)
        if count % 1000 == 0:
            shipper.flush()
    shipper.flush()
    assert 10_000 <= valkey.xlen(log_stream.KEY) <= 10_200
    assert messages(app)[-1] == "line 11999"


def test_lines_that_do_not_fit_while_valkey_is_down_are_counted(
    app: Flask, shipper: LogShipper
) -> None:
    shipper.url = f"redis://127.0.0.1:{any_free()}/0"
    total = 2 * MAX_PENDING
    for count in range(total):
        logger.info("line %d", count)
    assert not shipper.flush()
    shipper.url = app.config["REDIS_URL"]
    wait_until(shipper.flush, 30, "it is sent once Valkey answers")
    last, *sent = lines(app, Wanted(), most=total)
    assert last["message"] == f"{total - len(sent)} log lines were dropped because Valkey was down"
    assert len(sent) < total


def test_logging_does_not_wait_for_a_hanging_valkey(shipper: LogShipper, tmp_path: Path) -> None:
    """A caller that sent its line itself would wait for the client's timeout of a second, or for
    the thread that sends."""
    hung = start_valkey(tmp_path)
    shipper.url = hung.url
    logger.info("before")
    wait_until(shipper.flush, 30, "sent")
    os.kill(hung.pid, signal.SIGSTOP)
    longest = 0.0
    try:
        for count in range(200):
            began = time.monotonic()
            logger.info("line %d", count)
            longest = max(longest, time.monotonic() - began)
            time.sleep(0.001)  # so that the sender begins to wait
    finally:
        hung.kill()
    assert longest < WAIT_SECONDS


def test_lines_that_sending_itself_causes_are_not_sent(app: Flask, shipper: LogShipper) -> None:
    """Each line of the Valkey client about a failed send would cause the next send."""
    redis_logger = logging.getLogger("redis")
    redis_logger.addHandler(shipper)
    try:
        redis_logger.warning("of another client")
        with sending():
            redis_logger.warning("of the sender")
        shipper.flush()
    finally:
        redis_logger.removeHandler(shipper)
    assert messages(app) == ["of another client"]


def test_lines_of_many_threads_are_all_sent(
    app: Flask, shipper: LogShipper, valkey: redis.Redis
) -> None:
    def talk() -> None:
        for count in range(100):
            logger.info("line %d", count)

    threads = [threading.Thread(target=talk) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: valkey.xlen(log_stream.KEY) == 1000, 30, "all lines are sent")


def test_a_reader_resumes_from_its_cursor(app: Flask, shipper: LogShipper) -> None:
    client = app.extensions["valkey"]
    logger.info("first")
    shipper.flush()
    cursor = log_stream.read(client, Wanted())["cursor"]
    for count in range(250):
        logger.info("line %d", count)
    shipper.flush()
    more = log_stream.read(client, Wanted(), after=cursor)
    assert [more["lines"][0]["message"], more["skipped"]] == ["line 249", True]
    assert log_stream.read(client, Wanted(), after=more["cursor"])["lines"] == []
    assert log_stream.read(client, Wanted(text="first"), after=cursor)["lines"] == []


def processes(app: Flask) -> set[str]:
    return {line["process"] for line in lines(app, Wanted(), most=1000)}


def test_all_processes_of_worker_and_web_send_lines(
    app: Flask, web: WebServer, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    worker = start("python", "worker.py", "--verbose")
    every = {"web", "default", "sync-pembayaran"}
    wait_until(lambda: every <= processes(app), 30, "lines of all processes")
    assert "Booting worker" in "".join(messages(app, process="web"))
    line = lines(app, Wanted(process="default"))[0]
    os.kill(line["pid"], signal.SIGKILL)
    wait_until(
        lambda: messages(app, process="worker", text="default ended"), 20, "the supervisor's line"
    )
    worker.stop()


def test_a_command_sends_its_security_log_and_does_not_print_it(
    app: Flask, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    command = start("flask", "queue", "restart")
    (line,) = wait_until(lambda: lines(app, Wanted(process="flask", security=True)), 30, "its line")
    assert (line["logger"], line["level"]) == ("myukm.security", "INFO")
    assert "queue.restart" in line["message"]
    assert "myukm.security" not in command.output()


def test_a_plain_worker_sends_its_warning_about_a_killed_job(
    app: Flask, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    worker = start("rq", "worker", "-c", "rq_settings", "default")
    wait_serving(app, ["default"])
    job = Queue("default", connection=valkey).enqueue("time.sleep", 60)
    parent = pid_of(app, "default")
    kill(job_process(parent), signal.SIGKILL)
    text = f"Work horse killed for job {job.id}"
    (line,) = wait_until(lambda: lines(app, Wanted(process="rq", text=text)), 30, "its line")
    assert line["level"] == "WARNING"
    assert line["pid"] == parent
    assert worker.output().count(text) == 1
    assert "time.sleep" in worker.output(), "its line about each job is printed but not sent"
    assert not lines(app, Wanted(process="rq", text="time.sleep"))


def test_lines_of_a_job_name_the_job_and_the_run(
    app: Flask, client_as: Callable[[str], FlaskClient], start: Callable[..., Program]
) -> None:
    """The payment API does not answer, and the sync job in a plain rq worker logs that."""
    with app.app_context():
        create_students(50)
    run = client_as("admin").post("/admin/sync-pembayaran/start", json={}).json["run_id"]
    start(
        *("rq", "worker", "sync-pembayaran"),
        PEMBAYARAN_API_URL=f"http://127.0.0.1:{any_free()}",
    )

    wait_until(lambda: lines(app, Wanted(run=run)), 60, "a line of that run")
    first = lines(app, Wanted(run=run))[-1]
    assert "payment API is down" in first["message"]
    assert first["process"] == "rq"
    assert first["job"]


def test_each_line_is_printed_once(settings: dict[str, str], app: Flask, tmp_path: Path) -> None:
    """Flask adds a handler when it logs an error itself; both handlers would print a line."""
    settings["REDIS_URL"] = f"redis://127.0.0.1:{any_free()}/0"
    web = WebServer(tmp_path / "web.log", settings)
    try:
        wait_until(lambda: "could not publish" in web.output(), 20, "the outage is logged")
        time.sleep(3)  # hundreds of events are not published meanwhile
        said = [line for line in web.output().splitlines() if "could not publish" in line]
        assert len(said) == 1
        assert " WARNING " in said[0]
    finally:
        web.kill()


def test_the_log_format_json_prints_one_object_per_line(
    settings: dict[str, str], app: Flask, tmp_path: Path
) -> None:
    settings |= {"REDIS_URL": f"redis://127.0.0.1:{any_free()}/0", "LOG_FORMAT": "json"}
    web = WebServer(tmp_path / "web.log", settings)
    try:
        requests.post(f"{web.url}/login", json={"nim": "1", "password": "x"}, timeout=20)
        wait_until(lambda: "login.failed" in web.output(), 30, "the refused log-in is logged")
        printed = [json.loads(line) for line in web.output().splitlines()]
    finally:
        web.kill()
    (refused,) = [line for line in printed if "login.failed" in line["message"]]
    assert refused["logger"] == "myukm.security"
    assert len(refused["request_id"]) == 16
    assert {"at", "level", "process", "host", "pid"} <= refused.keys()
