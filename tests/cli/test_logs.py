"""`flask logs`: which lines it prints, and how it ends."""

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import redis
from flask import Flask

from devtools.ports import any_free
from devtools.valkey import start_valkey
from myukm.cli.logs import FOLLOW_LINES
from myukm.logs import log_stream
from myukm.logs.log_stream import Wanted
from myukm.logs.shipper import LogShipper
from tests.support.programs import Program
from tests.support.waiting import wait_until

logger = logging.getLogger("myukm.tests.command")


@pytest.fixture
def shipper(app: Flask) -> LogShipper:
    handler = LogShipper(app.config["REDIS_URL"], "web")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    return handler


def test_matching_lines_are_printed_oldest_first(app: Flask, shipper: LogShipper) -> None:
    logger.info("quiet")
    logger.warning("loud")
    shipper.flush()
    run = app.test_cli_runner().invoke
    first, second = run(args=["logs"]).output.splitlines()
    assert first.endswith("quiet")
    assert " WARNING " in second
    assert run(args=["logs", "--level", "warning"]).output.splitlines() == [second]
    assert json.loads(run(args=["logs", "--json", "--text", "QUI"]).output)["message"] == "quiet"
    assert run(args=["logs", "-n", "1"]).output.splitlines() == [second]
    assert run(args=["logs", "--run", "3"]).output == ""


def test_without_valkey_the_command_ends_with_one_line(app: Flask) -> None:
    app.config["REDIS_URL"] = f"redis://127.0.0.1:{any_free()}/0"
    done = app.test_cli_runner().invoke(args=["logs"])
    assert done.exit_code == 5
    assert len(done.output.splitlines()) == 1


def test_follow_prints_each_new_line_once_and_in_order(
    start: Callable[..., Program], shipper: LogShipper
) -> None:
    program = start("flask", "logs", "--follow")
    logger.info("begin")
    shipper.flush()
    wait_until(lambda: "begin" in program.output(), 30, "a line that was there, or came")
    for count in range(3):
        logger.info("then %d", count)
    shipper.flush()
    wait_until(lambda: "then 2" in program.output(), 30, "the lines that came")
    assert [line[-6:] for line in program.output().splitlines()][-3:] == [
        "then 0",
        "then 1",
        "then 2",
    ]
    assert program.output().count("begin") == 1


def test_follow_says_once_that_valkey_is_away_and_that_it_is_back(
    start: Callable[..., Program], shipper: LogShipper, tmp_path: Path
) -> None:
    with start_valkey(tmp_path) as first:
        shipper.url = first.url
        program = start("flask", "logs", "--follow", REDIS_URL=first.url)
        logger.info("begin")
        wait_until(lambda: shipper.flush() and "begin" in program.output(), 30, "it follows")
    wait_until(lambda: "Valkey tidak menjawab: " in program.output(), 30, "the outage is said")
    with start_valkey(tmp_path, first.port):
        wait_until(lambda: "Valkey menjawab lagi." in program.output(), 30, "its end is said")
        logger.info("again")
        wait_until(lambda: shipper.flush() and "again" in program.output(), 30, "it goes on")
    assert program.output().count("Valkey menjawab lagi.") == 1


def test_follow_says_that_it_skipped_lines(
    start: Callable[..., Program], shipper: LogShipper, valkey: redis.Redis
) -> None:
    program = start("flask", "logs", "--follow", "--json")
    logger.info("begin")
    shipper.flush()
    wait_until(lambda: "begin" in program.output(), 30, "it follows")
    (line,) = log_stream.read(valkey, Wanted())["lines"]
    log_stream.add(valkey, [log_stream.encoded(line)] * (2 * FOLLOW_LINES + 2))
    wait_until(lambda: "Baris yang lebih lama dilewati" in program.output(), 30, "it says so")
