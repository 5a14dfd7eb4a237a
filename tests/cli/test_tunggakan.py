"""`flask tunggakan`: what it prints and how it ends."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from myukm.db.session import transaction
from myukm.models import Siswa

Flasks = Callable[..., Result]


@pytest.fixture
def flask(app: Flask) -> Flasks:
    with app.app_context(), transaction() as session:
        owing = {"tunggakan": 1_350_000, "lebih_bayar": 700, "status": "tunggakan", "lunas": False}
        session.add(Siswa(idperson="1", nama="Siti [b]", unit_formal="MTs", **owing))
        session.add(Siswa(idperson="2", nama="Budi", unit_formal="MA"))
    return lambda *words: app.test_cli_runner().invoke(args=("tunggakan", *words))


def test_json_has_totals_groups_and_students(flask: Flasks) -> None:
    answer = json.loads(flask("--json", "--group", "unit", "--sort", "tunggakan").stdout)
    assert set(answer) >= {"as_of", "never_synced", "page", "pages", "total", "groups", "siswa"}
    assert (answer["never_synced"], answer["page"], answer["pages"]) == (1, 1, 1)
    sums = {"siswa": 1, "tunggakan": "1350000", "lebih_bayar": "700", "bersih": "1349300"}
    assert answer["total"] == sums | {"siswa": 2}
    assert answer["groups"][0] == {"key": "MTs", **sums}
    siti = answer["siswa"][0]
    assert (siti["idperson"], siti["unit"], siti["tunggakan"]) == ("1", "MTs", "1350000")
    assert (siti["lunas"], siti["synced_at"]) == (False, None)


def test_a_repeated_option_matches_any_of_its_values(flask: Flasks) -> None:
    for words, count in (
        (("--unit", "MTs", "--unit", "MA"), 2),
        (("--status", "tunggakan", "--status", "belum_sinkron"), 2),
        (("--min", "1.350.000"), 1),
        (("--max", "1"), 1),
        (("--search", "siti"), 1),
        (("--unit", "'; DROP TABLE siswa"), 0),
        (("--search", "'; DROP TABLE siswa"), 0),
        (("--search", "a" * 10_000), 0),
    ):
        assert json.loads(flask("--json", *words).stdout)["total"]["siswa"] == count, words


def test_the_table_shows_students_totals_and_how_many_were_never_synced(flask: Flasks) -> None:
    shown = flask("--group", "unit").stdout
    assert "Siti [b]" in shown
    assert "2 siswa: tunggakan 1.350.000, lebih bayar 700, bersih 1.349.300\n" in shown
    assert "1 siswa belum pernah disinkronkan." in shown


def test_wrong_values_are_refused_in_one_line(flask: Flasks) -> None:
    assert flask("--status", "mungkin").exit_code == 2
    not_set = flask("--unit", "")
    assert (not_set.exit_code, not_set.stdout) == (2, "")
    assert "'--unit': tidak boleh kosong; tulis (kosong)" in not_set.stderr
    for words in (
        ("--min", "2", "--max", "1"),
        ("--min", "NaN"),
        ("--max", "Infinity"),
        ("--max", "1e400"),
    ):
        done = flask(*words)
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1), words


def test_files_are_written_whole_or_not_at_all(flask: Flasks, tmp_path: Path) -> None:
    csv, xlsx = tmp_path / "a.csv", tmp_path / "a.xlsx"
    done = flask("--csv", str(csv), "--xlsx", str(xlsx), "--min", "1")
    assert (done.exit_code, done.output) == (0, "")
    assert csv.read_text("utf-8-sig").count("\n") == 2
    assert xlsx.read_bytes().startswith(b"PK")
    assert not list(tmp_path.glob("*.part"))
    done = flask("--csv", str(tmp_path / "no" / "a.csv"))
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
