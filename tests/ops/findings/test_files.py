"""A storage of the chat's files that cannot be reached has a finding, which goes with the fault."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.storage.bucket import Bucket
from tests.ops.test_doctor import named, wait_finding
from tests.support.files import MESSAGES, PDF, send, upload
from tests.support.s3 import S3Server

ClientAs = Callable[[str], FlaskClient]


def send_file(client_as: ClientAs) -> int:
    """Upload a file and send it; return the message's id."""
    member = client_as("member")
    file = upload(member, PDF, "Notulen.pdf", "application/pdf").get_json()
    answer = send(member, [file["id"]])
    assert answer.status_code == 201, answer.text
    return int(answer.get_json()["id"])


def test_a_folder_that_is_not_mounted(
    app: Flask, client_as: ClientAs, settings: dict[str, str]
) -> None:
    assert named(app, "files_unreadable") == [], "there is no file yet"
    message_id = send_file(client_as)
    assert named(app, "files_unreadable") == []
    folder = Path(settings["FILES_URL"].removeprefix("file://"))
    away = folder.rename(folder.with_name("away"))
    found = wait_finding(app, "files_unreadable")
    assert found["level"] == "broken"
    assert "FILES_URL" in found["cure"]
    away.rename(folder)
    assert named(app, "files_unreadable") == []
    assert client_as("member").delete(f"{MESSAGES}/{message_id}").status_code == 204
    assert named(app, "files_unreadable") == [], "a deleted file is not missing"


def test_a_bucket_that_does_not_answer(
    app: Flask, client_as: ClientAs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = S3Server(tmp_path / "s3.log")
    try:
        monkeypatch.setitem(app.extensions, "storage", Bucket(s3.url, tmp_path / "drafts"))
        send_file(client_as)
        assert named(app, "files_unreadable") == []
    finally:
        s3.kill()
    found = wait_finding(app, "files_unreadable")
    assert s3.url not in str(found)
    assert "S3: " in found["message"]
    assert "FILES_URL" in found["cure"]


def test_a_bucket_that_hangs(
    app: Flask, client_as: ClientAs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_file(client_as)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        bucket = Bucket(f"s3://kunci:rahasia@berkas?endpoint={endpoint}", tmp_path / "drafts")
        monkeypatch.setitem(app.extensions, "storage", bucket)
        assert "tidak menjawab" in wait_finding(app, "files_unreadable")["message"]
        silent.accept()[0].close()
