"""`flask user` and `flask ukm`: what they print and how they end."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from tests.support.people import PASSWORD, UKM
from tests.support.programs import Program

Flasks = Callable[..., Result]
COMMON = "Kata sandi ini dipakai banyak orang, jadi mudah ditebak. Pilih yang lain."
NEW = ("user", "create", "--nim", "55", "--name", "Nur  Aini", "--role", "anggota")


@pytest.fixture
def flask(app: Flask) -> Flasks:
    """`flask("user", "list", stdin="…")` runs a command in this process."""
    return lambda *words, stdin="": app.test_cli_runner().invoke(args=words, input=stdin)


def logs_in(app: Flask, nim: str, password: str) -> bool:
    sent = {"nim": nim, "password": password}
    return app.test_client().post("/login", json=sent).status_code == 200


def test_an_account_is_created_with_a_password_from_standard_input(
    app: Flask, flask: Flasks
) -> None:
    done = flask(*NEW, "--password-stdin", stdin="kata sandi ini\n")
    assert (done.exit_code, done.stdout) == (0, "Akun 55 (Nur Aini) dibuat.\n")
    assert logs_in(app, "55", "kata sandi ini")


def test_without_password_stdin_the_password_is_asked_for_twice_and_not_shown(
    app: Flask, flask: Flasks
) -> None:
    done = flask(*NEW, stdin="rahasia-itu\nrahasia-itu\n")
    assert done.exit_code == 0
    assert "rahasia-itu" not in done.output
    assert logs_in(app, "55", "rahasia-itu")


def test_a_taken_nim_and_a_bad_password_are_refused(flask: Flasks, people: dict[str, int]) -> None:
    taken = [word.replace("55", "2024001") for word in NEW]
    for words, stdin, why in (
        (taken, "kata sandi ini\n", "NIM 2024001 sudah terdaftar."),
        (NEW, "sembilan!\n", "Kata sandi harus 10 sampai 200 karakter."),
        (NEW, "", "Kata sandi harus 10 sampai 200 karakter."),
        (NEW, "1234567890\n", COMMON),
        (NEW, b"tanpa-huruf-\xff\n", "Isian ini tidak bisa disimpan."),
        (NEW, "n-u-r aini\n", "Kata sandi tidak boleh sama dengan NIM atau nama."),
    ):
        done = flask(*words, "--password-stdin", stdin=stdin)
        assert (done.exit_code, done.stdout, done.stderr) == (1, "", why + "\n")


@pytest.mark.parametrize(
    "words",
    [
        ("user", "create"),
        ("user", "create", "--nim", "1", "--name", "N", "--role", "raja"),
        ("user", "password"),
        ("user", "list", "--page", "0"),
        ("ukm", "add", "X"),
        ("ukm", "create", "--name", "N"),
    ],
)
def test_wrong_use_is_exit_2(flask: Flasks, words: tuple[str, ...]) -> None:
    assert flask(*words).exit_code == 2


def test_a_new_password_logs_out_everywhere(
    app: Flask, flask: Flasks, people: dict[str, int]
) -> None:
    client = app.test_client()
    client.post("/login", json={"nim": "2024001", "password": PASSWORD})
    done = flask("user", "password", "--nim", "2024001", "--password-stdin", stdin="yang-baru-1\n")
    assert (done.exit_code, done.stdout) == (0, "Kata sandi 2024001 diganti.\n")
    assert client.get("/ukm").status_code == 302
    assert logs_in(app, "2024001", "yang-baru-1")
    assert not logs_in(app, "2024001", PASSWORD)
    refused = flask("user", "password", "--nim", "2024001", "--password-stdin", stdin="pendek\n")
    why = "Kata sandi harus 10 sampai 200 karakter.\n"
    assert (refused.exit_code, refused.stderr) == (1, why)
    unknown = flask("user", "password", "--nim", "0", "--password-stdin", stdin="yang-baru-1\n")
    assert (unknown.exit_code, unknown.stderr) == (1, "Tidak ada pengguna dengan NIM 0.\n")


def test_a_reset_code_sets_a_new_password(
    app: Flask, flask: Flasks, people: dict[str, int]
) -> None:
    done = flask("user", "reset-code", "--nim", "2024001")
    assert done.exit_code == 0
    sent = {"nim": "2024001", "code": done.stdout.strip(), "password": "yang-baru-1"}
    assert app.test_client().post("/reset-password", json=sent).status_code == 200
    assert flask("user", "reset-code", "--nim", "0").exit_code == 1


def test_a_file_invites_all_its_people_or_nobody(
    app: Flask, flask: Flasks, people: dict[str, int], tmp_path: Path
) -> None:
    file = tmp_path / "orang.csv"
    file.write_text("nim,name\n77,Ani\n78,Beni\n")
    dry = flask("user", "import", str(file), "--dry-run")
    assert (dry.exit_code, dry.stdout) == (0, "2 orang siap diundang.\n")
    done = flask("user", "import", str(file))
    assert done.exit_code == 0
    nim, _, _, code = done.stdout.splitlines()[1].split(",")
    sent = {"nim": nim, "code": code, "password": "kata-sandi-1"}
    assert app.test_client().post("/register", json=sent).status_code == 200
    for options in ((), ("--dry-run",)):
        again = flask("user", "import", str(file), *options)
        assert (again.exit_code, again.stdout) == (1, "")
        assert again.stderr.startswith("Baris 2: NIM ini sudah terdaftar.\n")


def test_accounts_are_listed(flask: Flasks, people: dict[str, int]) -> None:
    done = flask("user", "list", "--search", "mega")
    assert done.exit_code == 0
    assert "Mega Lestari" in done.stdout
    assert "Farhan" not in done.stdout
    assert done.stdout.endswith("Halaman 1 dari 1, 1 akun\n")


def test_ukms_are_created_filled_and_listed(flask: Flasks, people: dict[str, int]) -> None:
    made = flask("ukm", "create", "--name", "Seni Rupa", "--code", "seni")
    said = re.fullmatch(r"UKM SENI \(Seni Rupa\) dibuat\.\nKode gabung: (\S+)\n", made.stdout)
    assert said
    assert said[1] != "SENI"
    assert flask("ukm", "add", "SENI", "2024001", "--admin").exit_code == 0
    listed = flask("ukm", "list").stdout
    assert "Seni Rupa" in listed
    assert said[1] in listed
    for words, why in (
        (("create", "--name", "X", "--code", UKM), f"Kode {UKM} sudah dipakai."),
        (("add", "SENI", "2024001"), "Sudah menjadi anggota UKM ini."),
        (("add", "NOWHERE", "2024001"), "Tidak ada UKM dengan kode NOWHERE."),
        (("add", "SENI", "0"), "Tidak ada pengguna dengan NIM 0."),
    ):
        done = flask("ukm", *words)
        assert (done.exit_code, done.stderr) == (1, why + "\n")


def test_a_member_becomes_admin_by_adding_them_again(flask: Flasks, people: dict[str, int]) -> None:
    assert flask("ukm", "add", UKM, "2024001", "--admin").exit_code == 0
    assert flask("ukm", "add", UKM, "2024001", "--admin").exit_code == 1


def test_without_a_database_the_exit_code_is_5(start: Callable[..., Program]) -> None:
    away = "postgresql://nobody@127.0.0.1:1/myukm"
    program = start("flask", "--app", "wsgi", "user", "list", DATABASE_URL=away)
    assert program.child.wait(20) == 5
    assert program.output().startswith("Basis data tidak menjawab: ")
