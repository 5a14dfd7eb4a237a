"""Malformed and odd HTTP answers, sent byte by byte."""

import asyncio
import gzip
import json
import logging
import time
from typing import Any

import pytest
from flask import Flask

import config
from myukm.domain.payment_api import client
from myukm.domain.payment_api.client import PaymentApi
from myukm.domain.payment_api.errors import Action, Failure, message
from myukm.domain.payment_api.parser import Answer, Payments
from myukm.domain.roster import api_source
from myukm.domain.sync import preflight
from myukm.errors import Unavailable
from myukm.ops import api_probe
from tests.support.raw_api import RawApi, raw

BODY = json.dumps({"data": [{"idperson": "7", "saldo": 5, "periods": []}]})
PAGE = "<h1>Selamat datang</h1>"


def ask(api: RawApi, *idpersons: str, timeout: float = 2.0, **environment: str) -> list[Answer]:
    """Request these students (7 if none is given) one after the other."""
    given = {"PEMBAYARAN_API_URL": api.url, "SECRET_KEY": "k" * 32} | environment
    settings = config.load(given) | {"PEMBAYARAN_API_TIMEOUT": timeout}

    async def all_() -> list[Answer]:
        async with PaymentApi(settings) as client:
            return [await client.payments(idperson) for idperson in idpersons or ("7",)]

    return asyncio.run(all_())


@pytest.mark.parametrize(
    "answer",
    [
        raw(BODY, "Content-Security-Policy: " + "a" * 9000),
        raw(BODY, "X-Debug: " + "a" * 200_000),
        raw(BODY, *(f"X-{n}: {n}" for n in range(400))),
        raw(b"\xef\xbb\xbf" + BODY.encode()),
        raw(BODY, "Content-Type: text/html"),
        raw(BODY, "Content-Type: application/json; charset=iso-8859-1"),
        raw(gzip.compress(BODY.encode()), "Content-Encoding: gzip"),
        raw(BODY, status="200 "),
    ],
)
def test_valid_answers_with_odd_headers_or_encodings_are_accepted(answer: bytes) -> None:
    with RawApi({"": answer}) as api:
        (found,) = ask(api)
    assert isinstance(found, Payments), found
    assert found.saldo == 5


@pytest.mark.parametrize(
    "answer",
    [
        raw(BODY, "X-Debug: " + "a" * 300_000),
        raw(BODY, *(f"X-{n}: {n}" for n in range(1500))),
        raw(PAGE),
        raw(""),
        raw(BODY, "Content-Length: 10"),
        raw(BODY, "Content-Encoding: gzip"),
        raw(BODY, "Content-Length: -5"),
        raw(BODY, "Transfer-Encoding: chunked", "Content-Length: 3"),
        raw(BODY.encode("utf-16")),
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
    ],
)
def test_an_unreadable_answer_does_not_count_as_an_outage(app: Flask, answer: bytes) -> None:
    with RawApi({"": answer}) as api, app.app_context():
        (found,) = ask(api)
        app.config["PEMBAYARAN_API_URL"] = api.url
        with pytest.raises(Unavailable) as refused:
            api_source.fetch()
    assert isinstance(found, Failure), found
    assert (found.code, found.action, found.counts_as_outage) == (
        "invalid_body",
        Action.RETRY,
        False,
    )
    with app.app_context():
        for text in (str(message(found)), str(refused.value)):
            assert "sambungan" not in text
            assert "Error" not in text, "no name of an exception class"


def test_the_answer_after_a_wrong_content_length_is_read_correctly() -> None:
    answers = {"/payments/1": raw(BODY, "Content-Length: 10"), "": raw(BODY)}
    with RawApi(answers) as api:
        first, second = ask(api, "1", "7")
    assert isinstance(first, Failure)
    assert isinstance(second, Payments)


@pytest.mark.parametrize("status", ["429 Slow", "503 Later"])
@pytest.mark.parametrize(
    "header",
    [
        "Retry-After: Mon, 20 Nov 9999999999 12:00:00 GMT",
        "Retry-After: Mon, 20 Nov 2030 12:00:00 +12345678901234567890",
        "Retry-After: -3",
        "Retry-After: 2.5",
        "Retry-After:",
        "Retry-After: 1\r\nRetry-After: 200",
    ],
)
def test_an_unreadable_retry_after_is_one_second(status: str, header: str) -> None:
    with RawApi({"": raw("x", header, status=status)}) as api:
        (found,) = ask(api)
    assert isinstance(found, Failure)
    assert (found.action, found.wait) == (Action.WAIT, 1.0)


@pytest.mark.timing("the time-out ends a trickling answer within 3 s")
def test_the_timeout_is_for_the_whole_answer_not_for_each_byte() -> None:
    began = time.monotonic()
    with RawApi({"": raw(BODY)}, drip=0.05) as api:
        (found,) = ask(api, timeout=0.4)
    assert found == Failure("timeout", Action.RETRY)
    assert time.monotonic() - began < 3


def test_an_internal_error_fails_only_its_student_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> Any:
        raise KeyError("a bug")

    monkeypatch.setattr(client, "parse", broken)
    with RawApi({"": raw(BODY)}) as api, caplog.at_level(logging.ERROR):
        (found,) = ask(api)
    assert isinstance(found, Failure)
    assert (found.code, found.action, found.detail) == ("internal", Action.RETRY, "KeyError")
    assert "KeyError: 'a bug'" in caplog.text


def test_netrc_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login root password geheim\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with RawApi({"": raw(BODY)}) as api:
        ask(api, PEMBAYARAN_API_TOKEN="kunci")
        assert "Authorization: Bearer kunci" in api.heads[0]


def test_proxies_of_the_environment_are_not_used(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    roster = json.dumps({"data": [{"idperson": "7", "nama": "Siti"}]})
    with RawApi({"/siswa": raw(roster), "": raw(BODY)}) as api, app.app_context():
        app.config["PEMBAYARAN_API_URL"] = api.url
        assert isinstance(ask(api)[0], Payments)
        assert preflight.check()[0].text.endswith("menjawab.")
        assert len(api_source.fetch()) == 1
        assert api_probe.probe().ok


def test_user_and_password_of_the_url_are_sent() -> None:
    with RawApi({"": raw(BODY)}) as api:
        address = f"http://nama:kata%40sandi@127.0.0.1:{api.port}"
        (found,) = ask(api, PEMBAYARAN_API_URL=address)
        assert "Authorization: Basic bmFtYTprYXRhQHNhbmRp" in api.heads[0]
    assert isinstance(found, Payments)
