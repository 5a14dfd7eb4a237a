"""`flask backup` and `flask restore`: a restored database has the state of one moment."""

import os
import shutil
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import click
import msgspec
import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, text, update

from myukm.db.session import transaction
from myukm.db.types import to_iso8601
from myukm.domain.actor import Actor
from myukm.domain.chat import messages
from myukm.extensions import db
from myukm.models import Activity, ChatMessage, LeaderLease, Photo, Siswa, SyncRun, Ukm, User
from myukm.ops import backup, backup_log, periodic_tasks
from myukm.ops.backup_archive import Manifest
from myukm.ops.findings import backups
from myukm.ops.periodic import PeriodicRunner
from tests.conftest import every_database
from tests.support.files import PDF, left_behind, upload
from tests.support.people import UKM
from tests.support.pictures import half_red
from tests.support.waiting import wait_until

Flasks = Callable[..., Result]
ClientAs = Callable[[str], FlaskClient]
NAME = "O'Ünal \u2028🌙"
BILLS = [{"period_id": "2025", "summary": {"total": Decimal("0.10"), "big": 10**20}}]


@pytest.fixture
def flask(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flasks:
    monkeypatch.setattr(backup, "ALIVE_SECONDS", 0.1)  # no process is alive, except in one test
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
    queries["activity"] = queries["activity"].where(~Activity.action.startswith("backup."))
    return {name: [tuple(row) for row in db.session.execute(q)] for name, q in queries.items()}


def tables() -> list[Any]:
    return list(db.metadata.sorted_tables)


@every_database
def test_restore_brings_back_every_row(campus: Flask, flask: Flasks, tmp_path: Path) -> None:
    file = str(tmp_path / "myukm.zip")
    assert "dicadangkan" in flask("backup", file).output
    assert stat.S_IMODE(Path(file).stat().st_mode) == 0o600
    assert "dapat dipulihkan" in flask("backup", "verify", file).output
    with campus.app_context():
        before = everything()
        with transaction() as session:
            session.execute(delete(Siswa))
            session.add(Ukm(code="BARU", join_code="BARU", name="Baru"))
        changed = everything()
    assert flask("restore", file, input="n\n").exit_code == 1
    with campus.app_context():
        assert everything() == changed
    assert "dipulihkan" in flask("restore", file, input="y\n").output
    with campus.app_context():
        assert everything() == before
        assert has_statistics_of_messages()
        with transaction() as session:  # new rows get ids of their own
            session.add(Ukm(code="LAGI", join_code="LAGI", name="Lagi"))
            session.add(SyncRun(status="completed"))


def has_statistics_of_messages() -> bool:
    """Return whether PostgreSQL has planner statistics of the messages; True on other databases."""
    query = "SELECT count(*) FROM pg_stats WHERE tablename = 'chat_message'"
    return db.engine.dialect.name != "postgresql" or bool(db.session.scalar(text(query)))


@every_database
def test_a_backup_under_load_has_the_state_of_one_moment(
    campus: Flask, people: dict[str, int], tmp_path: Path, no_flood_guard: None
) -> None:
    """Meanwhile transactions change a message together with its number in the UKM's row, and the
    debts of two students, whose sum stays 100."""
    ended = threading.Event()

    def chat(number: int) -> None:
        member = db.session.get_one(User, people["member"])
        messages.post(member, UKM, "x" * 100, f"t{number}")

    def shift(number: int) -> None:
        with transaction() as session:
            for idperson, sign in sorted({"007": 1, "008": -1}.items()):
                own = Siswa.idperson == idperson
                owed = Siswa.tunggakan + Decimal(sign * (1 + number % 3))
                session.execute(update(Siswa).where(own).values(tunggakan=owed))

    def write(one: Callable[[int], None]) -> None:
        with campus.app_context():
            for number in range(10_000):
                if ended.is_set():
                    return
                one(number)

    with campus.app_context(), transaction() as session:
        session.add(Siswa(idperson="008", nama="Delapan", tunggakan=Decimal("94.50")))
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write, one) for one in (chat, shift)]
        try:
            sizes = [back_up_and_verify(campus, tmp_path / f"{number}.zip") for number in range(3)]
        finally:
            ended.set()
    assert [writer.exception() for writer in writers] == [None, None]
    assert sizes[0] < sizes[2]
    with campus.app_context():
        for number, size in enumerate(sizes):
            backup.restore(tmp_path / f"{number}.zip")
            assert state() == (size, size, Decimal(100))


def state() -> tuple[Any, Any, Any]:
    """Return the number of messages, the newest message's number, and the sum of the debts."""
    db.session.rollback()
    said = db.session.scalar(select(func.count()).select_from(ChatMessage))
    return (
        said,
        db.session.scalar(select(func.max(Ukm.last_number))),
        sum(db.session.scalars(select(Siswa.tunggakan)), Decimal(0)),
    )


def back_up_and_verify(campus: Flask, file: Path) -> int:
    """Make and verify a backup; return the number of its messages."""
    with campus.app_context():
        manifest = backup.write(file)
        assert backup.verify(file) == manifest
    return manifest.tables["chat_message"][0]


def test_a_damaged_file_is_named_and_changes_nothing(
    campus: Flask, flask: Flasks, tmp_path: Path
) -> None:
    file = tmp_path / "b.zip"
    flask("backup", str(file))
    whole = file.read_bytes()
    with campus.app_context():
        before = everything()
    halves = (whole[: len(whole) // 2], b"", b"not a zip")
    for broken in (*halves, without_students(file), unpackable(file)):
        file.write_bytes(broken)
        answer = flask("backup", "verify", str(file))
        assert (answer.exit_code, "rusak" in answer.output) == (1, True), answer.output
    file.write_bytes(whole[: len(whole) // 2])
    assert flask("restore", "--yes", str(file)).exit_code == 1
    with campus.app_context():
        assert everything() == before


def test_what_a_backup_lacks_is_named(campus: Flask, flask: Flasks, tmp_path: Path) -> None:
    whole = tmp_path / "b.zip"
    flask("backup", str(whole))
    for missing in ("siswa.jsonl", "manifest.json"):
        file = tmp_path / f"without-{missing}.zip"
        with ZipFile(whole) as old, ZipFile(file, "w") as new:
            for name in {*old.namelist()} - {missing}:
                new.writestr(name, old.read(name))
        for words in (("backup", "verify"), ("restore", "--yes")):
            answer = flask(*words, str(file))
            assert (answer.exit_code, f"tidak berisi {missing}" in answer.output) == (1, True)


@pytest.mark.parametrize("named", [True, False])
def test_values_go_to_the_columns_that_the_backup_names(
    campus: Flask, flask: Flasks, tmp_path: Path, named: bool
) -> None:
    """A version whose model had its columns in another order made it, or one that named none."""
    file = tmp_path / "b.zip"
    flask("backup", str(file))
    file.write_bytes(with_columns_reversed(file) if named else without_columns(file))
    with campus.app_context():
        before = everything()
        with transaction() as session:
            session.execute(update(Ukm).values(name="Lain", description="Lain"))
    answer = flask("backup", "verify", str(file))
    assert "dapat dipulihkan" in answer.output, answer.output
    assert "dipulihkan" in flask("restore", str(file), input="y\n").output
    with campus.app_context():
        assert everything() == before


def with_columns_reversed(file: Path) -> bytes:
    with ZipFile(file) as archive:
        manifest = msgspec.json.decode(archive.read("manifest.json"))
        rows = [msgspec.json.decode(line) for line in archive.read("ukm.jsonl").splitlines()]
    lines = [msgspec.json.encode(row[::-1]) + b"\n" for row in rows]
    manifest["tables"]["ukm"] = backup._count_and_digest(lines, lambda _line: None)
    manifest["columns"]["ukm"].reverse()
    new = {"ukm.jsonl": b"".join(lines), "manifest.json": msgspec.json.encode(manifest)}
    return replaced(file, new)


def without_columns(file: Path) -> bytes:
    with ZipFile(file) as archive:
        manifest = msgspec.json.decode(archive.read("manifest.json"))
    del manifest["columns"]
    return replaced(file, {"manifest.json": msgspec.json.encode(manifest)})


def without_students(file: Path) -> bytes:
    return replaced(file, {"siswa.jsonl": b""})


def replaced(file: Path, members: dict[str, bytes]) -> bytes:
    """Return the backup with other bytes in these members."""
    copy = file.with_suffix(".copy")
    with ZipFile(file) as old, ZipFile(copy, "w") as new:
        for name in old.namelist():
            new.writestr(name, members.get(name, old.read(name)))
    return copy.read_bytes()


def unpackable(file: Path) -> bytes:
    """Return the backup with one table whose compressed data cannot be unpacked."""
    broken = bytearray(file.read_bytes())
    with ZipFile(file) as archive:
        info = archive.getinfo("siswa.jsonl")
    start = info.header_offset + 30 + sum(broken[info.header_offset + 26 : info.header_offset + 30])
    broken[start : start + info.compress_size] = b"\xff" * info.compress_size
    return bytes(broken)


def test_nothing_is_restored_while_the_program_runs(
    campus: Flask, flask: Flasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "ALIVE_SECONDS", 30.0)  # it ends with the next heartbeat
    file = str(tmp_path / "b.zip")
    flask("backup", file)
    running = periodic_tasks.start(campus)
    try:
        wait_until(lambda: leads(campus), 30, "it leads")
        answer = flask("restore", "--yes", file)
    finally:
        running.stop()
        running.thread.join()
    assert (answer.exit_code, "Hentikan dulu" in answer.output) == (1, True)


def test_nothing_is_restored_if_the_program_starts_while_it_asks(
    campus: Flask, flask: Flasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "ALIVE_SECONDS", 30.0)
    file = str(tmp_path / "b.zip")
    flask("backup", file)
    running: list[PeriodicRunner] = []

    def agree(*_: Any, **_options: Any) -> bool:
        running.append(periodic_tasks.start(campus))
        return True

    monkeypatch.setattr(click, "confirm", agree)
    monkeypatch.setattr(backup, "restore", pytest.fail)
    try:
        answer = flask("restore", file)
    finally:
        for each in running:
            each.stop()
            each.thread.join()
    assert (answer.exit_code, "Hentikan dulu" in answer.output) == (1, True)


def leads(app: Flask) -> bool:
    with app.app_context():
        return bool(db.session.scalar(select(LeaderLease.heartbeat)))


def test_a_file_that_cannot_be_written_or_read_is_reported_in_one_line(
    flask: Flasks, tmp_path: Path
) -> None:
    for words in (("backup",), ("backup", "verify")):
        answer = flask(*words, str(tmp_path / "no" / "such.zip"))
        assert (answer.exit_code, answer.output.count("\n")) == (1, 1), answer.output


def test_wrong_arguments_are_explained(flask: Flasks) -> None:
    assert flask("backup").exit_code == 2
    assert "backup verify BERKAS" in flask("backup", "verify", "a", "b").output


def test_files_are_in_the_backup(
    campus: Flask, flask: Flasks, client_as: ClientAs, tmp_path: Path, settings: dict[str, str]
) -> None:
    member, folder = client_as("member"), Path(settings["FILES_URL"].removeprefix("file://"))
    photo = upload(member, half_red(), "a.jpg").get_json()
    paper = upload(member, PDF, "a.pdf", client_id="f2").get_json()
    file = tmp_path / "b.zip"
    assert flask("backup", str(file)).exit_code == 0
    shutil.rmtree(folder)
    assert member.get(paper["url"], buffered=True).status_code == 404
    assert flask("restore", "--yes", str(file)).exit_code == 0
    assert member.get(paper["url"], buffered=True).data == PDF
    for url in (photo["url"], photo["thumbnail"]["url"]):
        assert member.get(url, buffered=True).status_code == 200
    assert left_behind(folder) == []
    broken = bytearray(file.read_bytes())
    broken[broken.index(PDF)] ^= 1
    file.write_bytes(broken)
    answer = flask("backup", "verify", str(file))
    assert (answer.exit_code, "rusak" in answer.output) == (1, True), answer.output


def test_a_folder_keeps_the_newest_verified_backups(
    campus: Flask, flask: Flasks, tmp_path: Path
) -> None:
    folder = tmp_path / "nightly"
    folder.mkdir()
    old = [folder / f"myukm-20200{month}01-021500.zip" for month in range(1, 4)]
    part, at_work = folder / ".myukm-20200101-021500.zip.1", folder / ".myukm-x.zip.2"
    for each in (*old, folder / "other.zip", part, at_work):
        each.touch()
    os.utime(part, (1, 1))  # a backup that was killed left it
    done = flask("backup", "--into", str(folder), "--keep", "2")
    assert (done.exit_code, "dapat dipulihkan" in done.output) == (0, True), done.output
    assert (part.exists(), at_work.exists()) == (False, True)
    kept = sorted(path.name for path in folder.glob("[!.]*"))
    assert (len(kept), kept[0], kept[2]) == (3, old[2].name, "other.zip")
    assert flask("backup", "verify", str(folder / kept[1])).exit_code == 0
    with campus.app_context():
        entry = backup_log.newest(backup_log.VERIFIED)
        assert entry.about == str(folder / kept[1])
        assert datetime.now(UTC) - entry.made_at < timedelta(minutes=5)


def test_a_folder_keeps_the_new_backup_whatever_else_is_in_it(
    campus: Flask, flask: Flasks, tmp_path: Path
) -> None:
    by_hand = tmp_path / "myukm-by-hand.zip"
    of_a_wrong_clock = tmp_path / "myukm-20400101-000000.zip"
    by_hand.touch()
    of_a_wrong_clock.touch()
    assert flask("backup", "--into", str(tmp_path), "--keep", "1").exit_code == 0
    (new,) = set(tmp_path.glob("*.zip")) - {by_hand}
    assert new != of_a_wrong_clock
    assert flask("backup", "verify", str(new)).exit_code == 0
    assert by_hand.exists()


def test_an_old_or_failed_backup_is_a_finding_until_one_is_verified(
    settings: dict[str, str], app: Flask, people: dict[str, int], flask: Flasks, tmp_path: Path
) -> None:
    app.config["MYUKM_ENV"] = "production"
    said = "/proc/no/such.zip"

    def found() -> list[str]:
        with app.test_request_context():
            findings = list(backups.old())
            assert {finding.code for finding in findings} <= {"backup_old"}
            return [str(finding.message) for finding in findings]

    assert found() == []  # a new installation
    with app.app_context(), transaction() as session:
        session.execute(update(User).values(created_at=datetime.now(UTC) - timedelta(days=3)))
    assert found() == ["Belum ada cadangan yang teruji."]
    file = str(tmp_path / "b.zip")
    flask("backup", file)
    assert found() == ["Belum ada cadangan yang teruji."], "made is not verified"
    flask("backup", "verify", file)
    assert found() == []
    assert flask("backup", said).exit_code == 1
    assert [said in message for message in found()] == [True]
    flask("backup", "verify", file)
    assert found() == []
    with app.app_context():
        earlier = Manifest(1, str(to_iso8601(datetime.now(UTC) - timedelta(days=9))), "")
        backup_log.record_verified(Actor("CLI"), Path("old.zip"), earlier)
    assert found() == [], "verifying an old backup again does not make it the newest"
    with app.app_context(), transaction() as session:
        three = datetime.now(UTC) - timedelta(days=3)
        session.execute(update(Activity).values(detail=three.isoformat()))
    assert [message.startswith("Cadangan teruji yang terbaru") for message in found()] == [True]
    assert flask("backup", "--into", str(tmp_path / "nightly")).exit_code == 0
    assert found() == []
