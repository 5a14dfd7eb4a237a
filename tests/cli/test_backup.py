"""`flask backup` and `flask restore`: what is restored is the state at one moment."""

import json
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, select

from myukm.db.session import transaction
from myukm.domain.chat import messages
from myukm.extensions import db
from myukm.models import LeaderLease, Photo, Siswa, SyncRun, Ukm, User
from myukm.ops import backup, periodic
from tests.conftest import every_database
from tests.support.people import UKM
from tests.support.waiting import wait_until

Flasks = Callable[..., Result]
NAME = "O'Ünal \u2028🌙"
BILLS = [{"period_id": "2025", "summary": {"total": Decimal("0.10"), "big": 10**20}}]


@pytest.fixture
def flask(app: Flask) -> Flasks:
    return lambda *words, **keys: app.test_cli_runner().invoke(args=words, **keys)


@pytest.fixture
def campus(app: Flask, people: dict[str, int]) -> Flask:
    """People, a message, a photo, a student with odd figures, and a run with a parent."""
    with app.app_context():
        messages.post(db.session.get_one(User, people["member"]), UKM, "Halo 👋\nbaris dua", "c1")
        everybytes, owed = bytes(range(256)), Decimal("5.50")
        with transaction() as session:
            session.add(Siswa(idperson="007", nama=NAME, pembayaran=BILLS, tunggakan=owed))
            session.add(Photo(user_id=people["member"], digest="1", large=everybytes, small=b"\0"))
            session.add(parent := SyncRun(status="completed", selected_ids=["007"]))
            session.flush()
            ended = datetime.now(UTC)
            session.add(SyncRun(status="completed", parent_run_id=parent.id, finished_at=ended))
    return app


def everything() -> dict[str, list[Any]]:
    """Return all rows of all tables."""
    db.session.rollback()
    queries = {table.name: select(table).order_by(*table.primary_key) for table in tables()}
    return {name: [tuple(row) for row in db.session.execute(q)] for name, q in queries.items()}


def tables() -> list[Any]:
    return list(db.metadata.sorted_tables)


@every_database
def test_what_is_restored_is_what_was_there(campus: Flask, flask: Flasks, tmp_path: Path) -> None:
    file = str(tmp_path / "myukm.zip")
    assert "dicadangkan" in flask("backup", file).output
    assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600
    assert "dapat dipulihkan" in flask("backup", "verify", file).output
    with campus.app_context():
        before = everything()
        with transaction() as session:
            session.execute(delete(Siswa))
            session.add(Ukm(code="BARU", join_code="BARU", name="Baru"))
    assert flask("restore", file, input="n\n").exit_code == 1
    assert "dipulihkan" in flask("restore", file, input="y\n").output
    with campus.app_context():
        assert everything() == before
        with transaction() as session:  # new rows get ids of their own
            session.add(Ukm(code="LAGI", join_code="LAGI", name="Lagi"))
            session.add(SyncRun(status="completed"))


@every_database
def test_a_backup_sees_one_moment_while_people_write(
    campus: Flask, people: dict[str, int], tmp_path: Path, no_flood_guard: None
) -> None:
    """A message and the number of the newest one, in the UKM's row, change together."""
    ended = threading.Event()

    def chat() -> None:
        with campus.app_context():
            for number in range(10_000):
                if ended.is_set():
                    return
                member = db.session.get_one(User, people["member"])
                messages.post(member, UKM, "x" * 100, f"t{number}")

    writer = threading.Thread(target=chat)
    writer.start()
    try:
        sizes = [one_moment(campus, tmp_path / f"{number}.zip") for number in range(3)]
    finally:
        ended.set()
        writer.join()
    assert sizes[0] < sizes[2]


def one_moment(campus: Flask, file: Path) -> int:
    """Make a backup, hold it against itself, and return how many messages it has."""
    with campus.app_context():
        manifest = backup.write(file)
        assert backup.verify(file) == manifest
    with ZipFile(file) as archive:
        rows = [json.loads(line) for line in archive.read("ukm.jsonl").splitlines()]
    column = [each.name for each in Ukm.__table__.columns].index("last_number")
    said = manifest.tables["chat_message"][0]
    assert max(row[column] for row in rows) == said
    return said


def test_a_damaged_file_is_named_and_changes_nothing(
    campus: Flask, flask: Flasks, tmp_path: Path
) -> None:
    file = tmp_path / "b.zip"
    flask("backup", str(file))
    whole = file.read_bytes()
    with campus.app_context():
        before = everything()
    for broken in (whole[: len(whole) // 2], b"", b"not a zip", without_students(file)):
        file.write_bytes(broken)
        answer = flask("backup", "verify", str(file))
        assert (answer.exit_code, "rusak" in answer.output) == (1, True), answer.output
    file.write_bytes(whole[: len(whole) // 2])
    assert flask("restore", "--yes", str(file)).exit_code == 1
    with campus.app_context():
        assert everything() == before


def without_students(file: Path) -> bytes:
    copy = file.with_suffix(".copy")
    with ZipFile(file) as old, ZipFile(copy, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"" if name == "siswa.jsonl" else old.read(name))
    return copy.read_bytes()


def test_nothing_is_restored_while_the_program_runs(
    campus: Flask, flask: Flasks, tmp_path: Path
) -> None:
    file = str(tmp_path / "b.zip")
    flask("backup", file)
    running = periodic.start(campus)
    try:
        wait_until(lambda: leads(campus), 20, "it leads")
        answer = flask("restore", "--yes", file)
    finally:
        running.stop()
        running.thread.join()
    assert (answer.exit_code, "Hentikan dulu" in answer.output) == (1, True)


def leads(app: Flask) -> bool:
    with app.app_context():
        return bool(db.session.scalar(select(LeaderLease.heartbeat)))


def test_what_cannot_be_written_or_read_is_one_line(flask: Flasks, tmp_path: Path) -> None:
    for words in (("backup",), ("backup", "verify")):
        answer = flask(*words, str(tmp_path / "no" / "such.zip"))
        assert (answer.exit_code, answer.output.count("\n")) == (1, 1), answer.output


def test_words_that_make_no_sense_are_explained(flask: Flasks) -> None:
    assert flask("backup").exit_code == 2
    assert "backup verify BERKAS" in flask("backup", "verify", "a", "b").output
