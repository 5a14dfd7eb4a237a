"""Search by any part of a word, filters, pages and ids of students, on every database."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import select

from myukm.db.session import transaction
from myukm.domain.accounts.codes import digest
from myukm.domain.actor import Actor
from myukm.domain.siswa import directory, links
from myukm.errors import Invalid, NotFound
from myukm.extensions import db
from myukm.models import Siswa, StudentCode, User
from tests.conftest import every_database


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


def make(idperson: str, nama: str, **columns: object) -> Siswa:
    student = Siswa(idperson=idperson, nama=nama, **columns)
    with transaction() as session:
        session.add(student)
    return student


@pytest.fixture
def students(inside: Flask) -> None:
    make("100001", "SITI Rahma", kelas_formal="VII A", unit_formal="MTs", status="lunas")
    make("100002", "siti Aisyah", kelas_formal="VIII B", status="tunggakan")
    make("100003", "Ma'ruf Hakim", kelas_formal="VII B", status="lunas", active=False)
    make("A/7 %_", "Zoë Ñandú")


def names(*query: object) -> list[str]:
    return [student.nama for student in directory.search(*query).items]  # type: ignore[arg-type]


@every_database
@pytest.mark.usefixtures("students")
def test_search_covers_name_id_unit_and_class_and_ignores_case() -> None:
    assert names() == ["Ma'ruf Hakim", "siti Aisyah", "SITI Rahma", "Zoë Ñandú"]
    assert names("SITI") == ["siti Aisyah", "SITI Rahma"]
    assert names("rahma siti") == ["SITI Rahma"]
    assert names("0003") == names("maruf") == names("MA’RUF") == ["Ma'ruf Hakim"]
    assert names("vii b") == ["Ma'ruf Hakim", "siti Aisyah"]
    assert names("mts") == ["SITI Rahma"]
    assert names("zoe nandu") == names("a/7") == ["Zoë Ñandú"]
    assert names("%_") == names("_") == ["Zoë Ñandú"]
    assert names("\\") == names("tidak ada") == []
    assert names("siti\x00") == names("si\u200bti") == ["siti Aisyah", "SITI Rahma"]


SIGNS = "'’‘‛‚`´ʼʻʽʾʿ′＇ʹ\"“”„«»‹›″ʺ＂"


@pytest.mark.parametrize("sign", SIGNS)
def test_sorting_and_search_ignore_apostrophes_of_any_kind(inside: Flask, sign: str) -> None:
    make("1", f"{sign}Aisyah Satu")
    make("2", "Aisyah Dua")
    make("3", f"Ma{sign}ruf")
    make("4", "Zaki")
    assert names() == ["Aisyah Dua", f"{sign}Aisyah Satu", f"Ma{sign}ruf", "Zaki"]
    assert names("maruf") == names(f"ma{sign}ruf") == [f"Ma{sign}ruf"]
    assert len(names("aisyah")) == 2


@pytest.mark.parametrize(
    ("nama", "typed"),
    [
        ("Søren Ærø", "soren aero"),
        ("Łukasz Wałęsa", "lukasz walesa"),
        ("Đặng Œuvré", "dang oeuvre"),
        ("IŞIK Straße", "isik strasse"),
        ("Ｍｕｈａｍｍａｄ ﬁkri", "muhammad fikri"),
    ],
)
def test_a_letter_with_a_diacritic_is_found_and_sorted_as_the_plain_letter(
    inside: Flask, nama: str, typed: str
) -> None:
    make("1", nama)
    make("2", typed[:3] + "zz")
    assert names(typed) == names(nama) == [nama]
    assert names()[0] == nama


@every_database
def test_a_migration_sorts_stored_names_without_their_apostrophe(inside: Flask) -> None:
    make("1", "‘Aisyah", search_text="‘aisyah 1  ")
    make("2", "Zaki")
    flask_migrate.downgrade(revision="0011")
    flask_migrate.upgrade()
    db.session.rollback()
    assert names() == ["‘Aisyah", "Zaki"]


@every_database
@pytest.mark.usefixtures("students")
def test_filters_select_paid_owing_and_never_synced_students() -> None:
    assert names("", ["lunas"]) == ["Ma'ruf Hakim", "SITI Rahma"]
    assert names("", ["belum"]) == ["siti Aisyah"]
    assert names("", ["belum_sinkron"]) == ["Zoë Ñandú"]
    assert names("siti", ["lunas"]) == ["SITI Rahma"]
    assert names("", ["nonaktif"]) == names("", ["lunas", "nonaktif"]) == ["Ma'ruf Hakim"]
    assert names("", ["lunas", "aktif"]) == ["SITI Rahma"]
    assert names("", ["lunas", "belum"]) == names("", ["tidak_cocok"]) == []
    with pytest.raises(Invalid, match="lunas"):
        directory.search("", ["mungkin"])


@every_database
@pytest.mark.usefixtures("inside")
def test_every_student_is_on_exactly_one_page() -> None:
    with transaction() as session:
        session.add_all(Siswa(idperson=f"{n:03}", nama=f"Nama {n:03}") for n in range(123))
    pages = [directory.search(page=number) for number in (1, 2, 3)]
    assert [(len(page.items), page.pages, page.total) for page in pages] == [
        (50, 3, 123),
        (50, 3, 123),
        (23, 3, 123),
    ]
    seen = [student.idperson for page in pages for student in page.items]
    assert seen == [f"{n:03}" for n in range(123)]
    assert directory.search(page=9).page == 3
    assert directory.search(page=0).page == 1
    assert directory.search("nobody") == ([], 1, 1, 0)


@every_database
@pytest.mark.usefixtures("inside")
def test_ids_that_differ_in_case_or_zeros_are_different_students() -> None:
    for idperson in ("a1", "A1", "01", "1"):
        make(idperson, f"Nama {idperson}")
    assert directory.find("A1").nama == "Nama A1"
    assert directory.find("01").nama == "Nama 01"
    for unknown in ("001", "1\x00", "\u200b"):
        with pytest.raises(NotFound):
            directory.find(unknown)


@pytest.mark.usefixtures("inside")
def test_a_list_does_not_read_payments() -> None:
    make("1", "Satu", pembayaran=[{"period_id": "20252026"}])
    (student,) = directory.search().items
    assert "pembayaran" not in student.__dict__


@every_database
def test_two_codes_created_at_once_leave_one_valid(
    inside: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    make("100001", "SITI Rahma")
    together, account_of = threading.Barrier(2, timeout=30), links.account_of

    def slow(idperson: str) -> User | None:
        found = account_of(idperson)
        time.sleep(0.2)
        return found

    def create(_number: int) -> str:
        with inside.app_context():
            student = directory.find("100001")
            together.wait()
            return links.create_code(student, Actor("Budi"))

    monkeypatch.setattr(links, "account_of", slow)
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(create, range(2)))
    stored = db.session.scalars(select(StudentCode.code_hash)).all()
    assert len(stored) == 1
    assert stored[0] in [digest(code) for code in codes]
