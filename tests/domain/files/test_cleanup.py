"""Bytes that no file needs are deleted; bytes that a file needs are kept."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.files import cleanup
from myukm.extensions import db
from myukm.models import ChatFile
from myukm.storage import storage
from tests.conftest import every_database
from tests.support.files import PDF, left_behind, send, stored_names, upload

ClientAs = Callable[[str], FlaskClient]


@pytest.fixture
def folder(settings: dict[str, str]) -> Path:
    return Path(settings["FILES_URL"].removeprefix("file://"))


def sweep_all() -> None:
    for shard in cleanup.SHARDS:
        cleanup.sweep(shard)


def set_age(folder: Path, seconds: float) -> None:
    """Set the modification time of all files back."""
    then = time.time() - seconds
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def store_orphan(name: str = "ab" * 32) -> None:
    """Leave bytes without a row, as a killed upload of an older version could."""
    draft = storage().new_draft()
    draft.write_bytes(b"x")
    storage().store(draft, name)
    draft.unlink()


@every_database
def test_a_sweep_deletes_orphans_and_nothing_else(
    app: Flask, client_as: ClientAs, folder: Path
) -> None:
    kept = upload(client_as("member"), PDF, "a.pdf").get_json()
    with app.app_context():
        store_orphan()
        storage().new_draft()
        needed = stored_names(folder) - {"ab" * 32}
        sweep_all()
        assert len(stored_names(folder)) == 2, "young bytes may belong to an upload in progress"
        set_age(folder, 2 * cleanup.ORPHAN_SECONDS)
        sweep_all()
        assert stored_names(folder) == needed
        set_age(folder, 2 * cleanup.DRAFT_SECONDS)
        sweep_all()
        assert left_behind(folder) == []
    assert client_as("member").get(kept["url"], buffered=True).data == PDF


@every_database
def test_files_not_sent_within_a_day_are_deleted(
    app: Flask, client_as: ClientAs, folder: Path
) -> None:
    member = client_as("member")
    sent = upload(member, PDF, "a.pdf", client_id="f1").get_json()
    assert send(member, [sent["id"]]).status_code == 201
    late = upload(member, PDF + b"2", "b.pdf", client_id="f2").get_json()
    young = upload(member, PDF + b"3", "c.pdf", client_id="f3").get_json()
    with app.app_context():
        assert cleanup.prune_unsent() is False, "nothing more is left"
        assert len(stored_names(folder)) == 3
        with transaction() as session:
            before = utcnow() - timedelta(hours=25)
            old = ChatFile.id.in_((sent["id"], late["id"]))
            session.execute(update(ChatFile).where(old).values(created_at=before))
        assert cleanup.prune_unsent() is False, "nothing more is left"
    found = [member.get(file["url"], buffered=True).status_code for file in (sent, late, young)]
    assert found == [200, 404, 200]
    assert len(stored_names(folder)) == 2


def test_bytes_trashed_by_a_killed_deletion_stay_readable_and_are_restored(
    app: Flask, client_as: ClientAs, folder: Path
) -> None:
    member = client_as("member")
    file = upload(member, PDF, "a.pdf").get_json()
    with app.app_context():
        digest = db.session.query(ChatFile).one().digest
        store_orphan()
        for name in (digest, "ab" * 32):
            storage().trash(name)
        assert member.get(file["url"], buffered=True).data == PDF
        cleanup.sweep("00")
    assert (stored_names(folder), left_behind(folder)) == ({digest}, [])


def in_thread(act: Callable[[], Any]) -> Any:
    """Call `act` in another thread, as the web server handles another request."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(act).result()


@pytest.mark.parametrize("step", ["trash", "purge"])
def test_bytes_uploaded_again_during_their_deletion_are_kept(
    app: Flask, client_as: ClientAs, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Another person uploads the same file between two steps of the deletion."""
    member, friend = client_as("member"), client_as("friend")
    mine = upload(member, PDF, "a.pdf").get_json()
    storage_class = type(app.extensions["storage"])
    original, theirs = getattr(storage_class, step), []

    def meanwhile(storage: Any, name: str) -> None:
        original(storage, name)
        if not theirs:
            theirs.append(in_thread(lambda: upload(friend, PDF, "b.pdf").get_json()))

    with monkeypatch.context() as patched:
        patched.setattr(storage_class, step, meanwhile)
        assert member.delete(mine["url"]).status_code == 204
    assert friend.get(theirs[0]["url"], buffered=True).data == PDF
    assert left_behind(folder) == []
    assert friend.delete(theirs[0]["url"]).status_code == 204
    assert stored_names(folder) == set()


def test_bytes_that_another_file_needs_are_never_trashed(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket copies and then deletes, so two concurrent deletions could lose the bytes."""
    member, friend = client_as("member"), client_as("friend")
    mine = upload(member, PDF, "a.pdf").get_json()
    theirs = upload(friend, PDF, "b.pdf").get_json()
    names: list[str] = []
    storage_class = type(app.extensions["storage"])
    original = storage_class.trash

    def trash(storage: Any, name: str) -> None:
        names.append(name)
        original(storage, name)

    monkeypatch.setattr(storage_class, "trash", trash)
    assert member.delete(mine["url"]).status_code == 204
    assert names == []
    assert friend.delete(theirs["url"]).status_code == 204
    assert len(names) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_bytes_of_33_000_files_are_deleted_at_once(app: Flask, folder: Path) -> None:
    """PostgreSQL accepts at most 65,535 parameters in a statement; each name takes two."""
    with app.app_context():
        store_orphan()
        cleanup.discard({"ab" * 32, *(f"{number:064x}" for number in range(33_000))})
    assert stored_names(folder) == set()
