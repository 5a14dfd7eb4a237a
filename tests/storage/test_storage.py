"""The storages, folder and bucket: what both do, and what is special to each."""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.storage import Storage
from myukm.storage.bucket import Bucket
from myukm.storage.folder import Folder
from tests.support.files import PDF, upload
from tests.support.people import UKM
from tests.support.pictures import half_red
from tests.support.s3 import BUCKET, S3Server

BYTES = os.urandom(700_000)
ANY_AGE = -60  # seconds; also a file from the next minute is old enough
NAME = hashlib.sha256(BYTES).hexdigest()
ClientAs = Callable[[str], FlaskClient]


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3") / "moto.log")
    yield server
    server.kill()


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    """An empty storage of each kind."""
    if request.param == "folder":
        yield Folder(tmp_path / "files")
        return
    s3: S3Server = request.getfixturevalue("s3")
    bucket = Bucket(s3.url, tmp_path / "drafts")
    yield bucket
    bucket.client.close()
    for key in s3.stored():
        s3.client.delete_object(Bucket=BUCKET, Key=key)


def store(place: Storage, data: bytes = BYTES, name: str = NAME) -> None:
    draft = place.new_draft()
    draft.write_bytes(data)
    place.store(draft, name)
    assert draft.read_bytes() == data
    draft.unlink()


def read(place: Storage) -> bytes:
    with place.open(NAME) as file:
        return file.read()


def test_bytes_are_read_completely_and_from_any_position(place: Storage) -> None:
    store(place)
    store(place)
    with place.open(NAME) as file:
        assert file.seek(0, 2) == len(BYTES)
        file.seek(0)
        assert file.read() == BYTES
        file.seek(300_000)
        assert file.read(5) == BYTES[300_000:300_005]
    with pytest.raises(FileNotFoundError):
        place.open("0" * 64)


def test_reading_a_file_of_a_bucket_from_its_beginning_takes_one_request(
    s3: S3Server, tmp_path: Path
) -> None:
    bucket = Bucket(s3.url, tmp_path)
    store(bucket)
    sent: list[str] = []
    bucket.client.meta.events.register(
        "before-send.s3", lambda request, **_: sent.append(request.method)
    )
    with bucket.open(NAME) as file:
        assert file.seek(0, 2) == len(BYTES)  # as a download asks for the size
        file.seek(0)
        assert file.read() == BYTES
        assert sent == ["GET"]
        file.seek(-5, 2)
        assert file.read() == BYTES[-5:]
        assert sent == ["GET", "GET"]
    bucket.client.close()


def test_trashed_bytes_can_be_read_restored_and_purged(place: Storage) -> None:
    place.trash(NAME)
    place.restore(NAME)
    assert list(place.trashed()) == []
    store(place)
    place.trash(NAME)
    assert list(place.trashed()) == [NAME]
    assert list(place.names(NAME[:2], ANY_AGE)) == []
    assert read(place) == BYTES
    place.restore(NAME)
    assert list(place.trashed()) == []
    place.trash(NAME)
    place.purge(NAME)
    place.purge(NAME)
    with pytest.raises(FileNotFoundError):
        place.open(NAME)


def test_names_are_listed_by_their_first_digits_and_age(place: Storage) -> None:
    store(place)
    assert list(place.names(NAME[:2], ANY_AGE)) == [NAME]
    assert list(place.names(NAME[:2], 3600)) == []
    other = "00" if NAME[:2] != "00" else "01"
    assert list(place.names(other, ANY_AGE)) == []


def test_old_drafts_are_dropped(place: Storage) -> None:
    old, young = place.new_draft(), place.new_draft()
    then = time.time() - 7200
    os.utime(old, (then, then))
    place.delete_drafts(3600)
    assert (old.exists(), young.exists()) == (False, True)
    assert stat.S_IMODE(young.stat().st_mode) == 0o600


def test_a_half_written_file_is_replaced(tmp_path: Path) -> None:
    place = Folder(tmp_path)
    store(place)
    (path,) = tmp_path.glob("??/??/*")
    path.write_bytes(b"half")
    store(place)
    assert path.read_bytes() == BYTES


def test_bytes_that_a_deletion_trashes_while_they_are_stored_again_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Folder(tmp_path)
    store(place)
    touch = os.utime

    def trash_first(path: Path) -> None:
        place.trash(NAME)
        touch(path)

    monkeypatch.setattr(os, "utime", trash_first)
    store(place)
    assert read(place) == BYTES


def test_a_folder_without_hard_links_stores_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    place = Folder(tmp_path)
    store(place)
    assert read(place) == BYTES
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [NAME]


@pytest.fixture
def in_bucket(app: Flask, s3: S3Server, tmp_path: Path) -> Iterator[None]:
    """The app keeps its files in the bucket."""
    bucket = app.extensions["storage"] = Bucket(s3.url, tmp_path / "drafts")
    yield
    bucket.client.close()


def test_the_chat_stores_and_deletes_its_files_in_a_bucket(
    in_bucket: None, client_as: ClientAs, s3: S3Server
) -> None:
    member, friend = client_as("member"), client_as("friend")
    photo = upload(member, half_red(), "a.jpg").get_json()
    paper = upload(member, PDF, "a.pdf", client_id="f2").get_json()
    assert all(key.startswith("ukm/") for key in s3.stored())
    files = [photo["id"], paper["id"]]
    sent = {"message": "", "client_id": "m", "files": files}
    message = member.post(f"/ukm/{UKM}/messages", json=sent).get_json()
    part = friend.get(paper["url"], headers={"Range": "bytes=1-3"}, buffered=True)
    assert (part.status_code, part.data) == (206, b"PDF")
    assert len(friend.get(photo["url"], buffered=True).data) == photo["size"]
    assert member.delete(f"/ukm/{UKM}/messages/{message['id']}").status_code == 204
    assert s3.stored() == set()


def test_an_upload_without_the_bucket_answers_503_and_may_be_repeated(
    app: Flask, client_as: ClientAs, tmp_path: Path
) -> None:
    away = "s3://a:b@berkas?endpoint=http://127.0.0.1:1"
    bucket = app.extensions["storage"] = Bucket(away, tmp_path / "drafts")
    answer = upload(client_as("member"), PDF, "a.pdf")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (503, "storage_unavailable")
    assert answer.headers["Retry-After"]
    bucket.client.close()
    app.extensions["storage"] = Folder(tmp_path / "files")
    assert upload(client_as("member"), PDF, "a.pdf").status_code == 201


def test_a_download_without_the_storage_and_a_full_disk_answer_503(
    app: Flask, client_as: ClientAs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = client_as("member")
    file = upload(member, PDF, "a.pdf").get_json()
    folder = app.extensions["storage"]
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    monkeypatch.setattr(folder, "new_draft", lambda: full)
    refused = [upload(member, PDF, "b.pdf", client_id="c2")]
    away = "s3://a:b@berkas?endpoint=http://127.0.0.1:1"
    bucket = app.extensions["storage"] = Bucket(away, tmp_path / "drafts")
    refused.append(member.get(file["url"], headers={"Accept": "application/json"}))
    bucket.client.close()
    app.extensions["storage"] = folder
    for answer in refused:
        assert answer.status_code == 503, answer.text
        assert answer.get_json()["error"]["code"] == "storage_unavailable"
        assert answer.headers["Retry-After"]
    assert member.get(file["url"], buffered=True).data == PDF
