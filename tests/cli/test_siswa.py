"""`flask siswa`: what it prints and how it ends."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from devtools.simulator.client import Simulator
from myukm.db.session import transaction
from myukm.models import Siswa, Tagihan
from tests.support.programs import Program

CSV = "idperson,nama,KelasFormal\n1,Siti [b]Rahma,VII A\n2,Budi,VIII B\n"
Flasks = Callable[..., Result]


@pytest.fixture
def api(simulator: Simulator, settings: dict[str, str]) -> Simulator:
    settings["PEMBAYARAN_API_URL"] = simulator.url
    return simulator


@pytest.fixture
def flask(app: Flask) -> Flasks:
    """`flask("siswa", "list")` runs a command in this process."""
    return lambda *words: app.test_cli_runner().invoke(args=words)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "siswa.csv"
    path.write_text(CSV)
    return path


def test_a_file_is_imported_and_listed(flask: Flasks, file: Path) -> None:
    done = flask("siswa", "import", str(file))
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "2 siswa dibaca: 2 baru, 0 diperbarui, 0 menjadi nonaktif.\n"
    listed = flask("siswa", "list", "--search", "vii a")
    assert listed.exit_code == 0
    assert "Siti [b]Rahma" in listed.stdout
    assert "Budi" not in listed.stdout
    assert listed.stdout.endswith("1 dari 1 siswa\n")


def test_list_prints_json(flask: Flasks, file: Path) -> None:
    flask("siswa", "import", str(file))
    answer = json.loads(flask("siswa", "list", "--json", "--limit", "1").stdout)
    assert answer["total"] == 2
    assert [student["idperson"] for student in answer["siswa"]] == ["2"]
    assert answer["siswa"][0]["lunas"] is None


def test_list_shows_the_payment_status_and_warnings(app: Flask, flask: Flasks) -> None:
    owing = {"tunggakan": 5000, "lebih_bayar": 700, "status": "tunggakan", "tidak_cocok": True}
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="1", nama="Ani", **owing, active=False))
        session.add(Siswa(idperson="2", nama="Budi", status="tanpa_tagihan"))
    listed = flask("siswa", "list").stdout
    assert re.search(r"5\.000 +│ +700 │ Belum lunas · Angka tidak cocok · Nonaktif", listed)
    assert "Tidak ada tagihan" in listed
    for words, ids in (
        (("tidak_cocok",), ["1"]),
        (("lebih_bayar", "--filter", "nonaktif"), ["1"]),
        (("belum", "--filter", "aktif"), []),
        (("tanpa_tagihan",), ["2"]),
    ):
        answer = json.loads(flask("siswa", "list", "--json", "--filter", *words).stdout)
        assert [student["idperson"] for student in answer["siswa"]] == ids


def test_the_roster_of_the_api_is_imported(api: Simulator, flask: Flasks) -> None:
    done = flask("siswa", "import", "--from-api")
    assert done.stdout.startswith("200 siswa dibaca: 200 baru")


def test_an_import_that_makes_many_inactive_needs_accept(api: Simulator, flask: Flasks) -> None:
    flask("siswa", "import", "--from-api")
    api.set(students=1)
    done = flask("siswa", "import", "--from-api")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("199 dari 200 siswa aktif")
    done = flask("siswa", "import", "--from-api", "--accept")
    assert (done.exit_code, "199 menjadi nonaktif" in done.stdout) == (0, True)


def test_skipped_students_are_named_and_the_exit_code_is_3(api: Simulator, flask: Flasks) -> None:
    students = [{"idperson": n, "nama": "N", "gender": "x" * (17 * (n < 30))} for n in range(60)]
    api.set(override={"/siswa": {"body": json.dumps({"data": students})}})
    done = flask("siswa", "import", "--from-api")
    assert done.exit_code == 3
    assert done.stdout.startswith("30 siswa dibaca: 30 baru")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("30 baris dilewati")
    assert lines[1] == "  Siswa ke-1 dari API pembayaran (N): gender lebih dari 16 karakter."
    assert (len(lines), lines[-1]) == (22, "  …")


def test_check_amounts_names_students_whose_amounts_differ(app: Flask, flask: Flasks) -> None:
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="1", nama="Ani"))
    done = flask("siswa", "check-amounts")
    assert (done.exit_code, done.output) == (0, "1 siswa diperiksa, semuanya cocok.\n")
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="2", nama="Budi", pembayaran=[], tunggakan=5000))
    done = flask("siswa", "check-amounts")
    assert (done.exit_code, "2 siswa diperiksa" in done.stdout) == (3, True)
    assert "  2: tunggakan\n" in done.stderr


def test_check_amounts_names_bills_missing_in_the_journal(app: Flask, flask: Flasks) -> None:
    bill = {"period_id": "1", "kelas": "", "category": "SPP", "item": "", "billed": 500, "paid": 0}
    with app.app_context(), transaction() as session:
        session.add(one := Siswa(idperson="1", nama="Ani", unit_formal="MTs"))
        session.flush()
        session.add(Tagihan(siswa_id=one.id, position=0, remaining=500, **bill))
    done = flask("siswa", "check-amounts")
    assert done.exit_code == 3
    assert "  Sekarang, MTs, SPP: owed tertulis 0, terhitung 5\n" in done.stderr


def test_a_duplicate_student_is_refused_in_one_line_with_exit_1(flask: Flasks, file: Path) -> None:
    file.write_text(CSV + "1,Ulang,X\n")
    done = flask("siswa", "import", str(file))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Baris 4: idperson 1 sudah ada di nomor 2.\n"


@pytest.mark.parametrize(
    "words",
    [
        ("import",),
        ("import", "siswa.csv", "--from-api"),
        ("import", "tidak-ada.csv"),
        ("list", "--limit", "0"),
        ("list", "--filter", "x"),
    ],
)
def test_wrong_use_is_exit_2(flask: Flasks, words: tuple[str, ...]) -> None:
    assert flask("siswa", *words).exit_code == 2


def test_without_a_database_the_exit_code_is_5(start: Callable[..., Program]) -> None:
    away = "postgresql://nobody@127.0.0.1:1/myukm"
    program = start("flask", "--app", "wsgi", "siswa", "list", DATABASE_URL=away)
    assert program.child.wait(20) == 5
    assert program.output().startswith("Basis data tidak menjawab: ")
    assert program.output().count("\n") == 1


def test_a_whole_file_makes_many_inactive_only_with_accept(flask: Flasks, file: Path) -> None:
    flask("siswa", "import", str(file))
    file.write_text("idperson,nama\n1,Siti\n")
    assert flask("siswa", "import", str(file), "--accept").stdout.endswith("0 menjadi nonaktif.\n")
    refused = flask("siswa", "import", str(file), "--whole")
    assert refused.exit_code == 1
    assert "1 dari 2 siswa aktif tidak ada di dalamnya" in refused.stderr
    assert "Budi (2)" in refused.stderr
    done = flask("siswa", "import", str(file), "--whole", "--accept")
    assert done.stdout.endswith("1 menjadi nonaktif.\n")
