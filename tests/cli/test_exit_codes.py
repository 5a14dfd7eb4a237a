"""How commands end if a server or a table is missing: one line and an exit code."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import text

import config
from myukm import create_app
from myukm.extensions import db
from tests.conftest import every_database
from tests.support.postgresql import PostgreSQL
from tests.support.programs import Program
from tests.support.sync import create_students
from tests.support.without_valkey import NOBODY_LISTENS

OTHER_VERSION = (
    "Tabel basis data belum ada atau bukan dari versi program ini. Jalankan: ./run db upgrade\n"
)


@every_database
@pytest.mark.parametrize("change", ["RENAME TO other", "RENAME COLUMN blocked_at TO other"])
def test_tables_of_another_version_point_to_the_migrations(app: Flask, change: str) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE user_account {change}"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    for words in (("list",), ("create", "--nim", "5", "--name", "N", "--role", "anggota")):
        stdin = [] if words == ("list",) else ["--password-stdin"]
        done = app.test_cli_runner().invoke(args=["user", *words, *stdin], input="kata sandi\n")
        assert (done.exit_code, done.stdout, done.stderr) == (5, "", OTHER_VERSION)


def test_an_empty_database_points_to_the_migrations(settings: dict[str, str]) -> None:
    url = settings["DATABASE_URL"].replace("myukm.db", "empty.db")
    app = create_app(config.load({**settings, "DATABASE_URL": url}))
    for words in (("sync", "start"), ("siswa", "list"), ("ukm", "list"), ("sync", "history")):
        done = app.test_cli_runner().invoke(args=words)
        assert (done.exit_code, done.stderr) == (5, OTHER_VERSION)


def test_a_missing_database_is_not_blamed_on_migrations(
    postgresql: PostgreSQL, settings: dict[str, str]
) -> None:
    url = f"{postgresql.fresh_database()}_gone"
    app = create_app(config.load({**settings, "DATABASE_URL": url}))
    done = app.test_cli_runner().invoke(args=("user", "list"))
    assert done.exit_code == 5
    assert done.stderr.startswith("Basis data tidak menjawab: ")


def test_without_valkey_a_command_prints_no_log_lines(
    app: Flask, start: Callable[..., Program]
) -> None:
    with app.app_context():
        create_students(3)
    program = start("flask", "--app", "wsgi", "sync", "start", REDIS_URL=NOBODY_LISTENS)
    assert program.child.wait(20) == 0
    said = program.output().splitlines()
    assert [line.split()[0] for line in said] == ["Proses", "Sebab:"]


def test_the_doctor_names_why_valkey_does_not_answer(start: Callable[..., Program]) -> None:
    secret = NOBODY_LISTENS.replace("//", "//:rahasia@")
    program = start("flask", "--app", "wsgi", "queue", "doctor", REDIS_URL=secret)
    assert program.child.wait(20) == 2
    first = program.output().splitlines()[0]
    assert first.startswith(f"RUSAK: Valkey di {NOBODY_LISTENS} tidak menjawab: ")
    assert "Connection refused" in first
    assert "rahasia" not in program.output()
