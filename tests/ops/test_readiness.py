"""Readiness: the probes of database and Valkey that requests share."""

import threading
import time

from flask import Flask

from myukm.ops.readiness import Probe


def test_an_answer_stays_an_answer_while_another_request_queries(app: Flask) -> None:
    answer = threading.Event()
    answer.set()
    probe = Probe(app, lambda: answer.wait(30))
    first = probe.query()
    first.join(30)
    answer.clear()
    second = probe.query()
    assert second is probe.query(), "a server that hangs costs one thread"
    assert first.answered_by(time.monotonic())
    assert not second.answered_by(time.monotonic())
    answer.set()
    assert second.answered_by(time.monotonic() + 30)


def test_a_server_that_refuses_has_not_answered(app: Flask) -> None:
    def refuse() -> None:
        raise ConnectionRefusedError

    assert not Probe(app, refuse).query().answered_by(time.monotonic() + 30)
