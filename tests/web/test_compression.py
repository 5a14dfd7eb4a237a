"""Text responses are compressed without a proxy, too; streams and small responses are not."""

import gzip
from collections.abc import Callable

import pytest
import requests
from flask.testing import FlaskClient

from tests.support.programs import WebServer

GZIP = {"Accept-Encoding": "gzip"}


def test_a_page_is_compressed_if_the_client_accepts_gzip(
    client_as: Callable[[str], FlaskClient],
) -> None:
    client = client_as("member")
    plain, packed = client.get("/profile"), client.get("/profile", headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.data) < len(plain.data) / 2
    assert b"Mega Lestari" in gzip.decompress(packed.data)


@pytest.mark.parametrize("path", ["/static/css/base.css", "/static/js/core/app.js", "/favicon.ico"])
def test_compressed_static_files_unpack_to_the_original(
    client_as: Callable[[str], FlaskClient], path: str
) -> None:
    client = client_as("nobody")
    plain, packed = (client.get(path, headers=headers, buffered=True) for headers in ({}, GZIP))
    unpacked = packed.data if len(plain.data) < 1024 else gzip.decompress(packed.data)
    assert unpacked == plain.data
    again = client.get(
        path, headers=GZIP | {"If-None-Match": packed.headers["ETag"]}, buffered=True
    )
    assert (again.status_code, again.data) == (304, b"")


def test_a_stream_is_not_compressed(
    web: WebServer, session_as: Callable[[str], requests.Session]
) -> None:
    stream = session_as("member").get(f"{web.url}/stream", headers=GZIP, stream=True, timeout=10)
    with stream:
        assert "Content-Encoding" not in stream.headers
        assert next(stream.iter_lines(chunk_size=1))
