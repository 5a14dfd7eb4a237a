"""Students from a workbook: usual layouts, and values that a spreadsheet changed."""

import io
import random
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from openpyxl.styles import Font
from sqlalchemy import select

from myukm.domain.roster import importing
from myukm.errors import Invalid
from myukm.extensions import db
from myukm.models import Siswa

Row = Sequence[Any]
HEADER = ["idperson", "nama"]


@pytest.fixture
def load(app: Flask, tmp_path: Path) -> Callable[[bytes], dict[str, str]]:
    """`load(data)` imports a workbook and returns the names by id."""

    def run(data: bytes) -> dict[str, str]:
        path = tmp_path / "siswa.xlsx"
        path.write_bytes(data)
        with app.app_context():
            importing.from_file(path)
            return stored()

    return run


def stored() -> dict[str, str]:
    query = select(Siswa.idperson, Siswa.nama).order_by(Siswa.idperson)
    return dict(db.session.execute(query).all())


def workbook(*rows: Row, change: Callable[[Any], None] = lambda sheet: None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    change(book.active)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def repacked(data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def fill(cell: str, value: Any, number_format: str | None = None) -> Callable[[Any], None]:
    def change(sheet: Any) -> None:
        sheet[cell] = value
        if number_format:
            sheet[cell].number_format = number_format

    return change


def test_a_workbook_with_title_blank_rows_and_dates_is_imported(
    app: Flask, load: Callable[[bytes], dict[str, str]]
) -> None:
    rows = (
        ["DAFTAR SISWA MTs"],
        [],
        ["No", "IDPerson", " Nama ", "Kelas Formal", "lahirtanggal", "catatan", None],
        [1, "0012", 'Nur "Aini" 🌙 O\u2019Neil', 7, date(2012, 1, 26), 3.5],
        [],
        [2, "A/1", "=1+1", "VII A", datetime(2012, 5, 1), None, " "],
    )

    def title(sheet: Any) -> None:
        sheet.merge_cells("A1:E1")
        sheet["A1"].font = Font(bold=True)
        sheet["C6"].data_type = "s"
        sheet["E6"].number_format = "General"
        sheet["E6"] = "2012-05-01"
        sheet["B2000"] = " "

    assert load(workbook(*rows, change=title)) == {
        "0012": 'Nur "Aini" 🌙 O\u2019Neil',
        "A/1": "=1+1",
    }
    with app.app_context():
        student = db.session.scalars(select(Siswa).where(Siswa.idperson == "0012")).one()
    assert (student.kelas_formal, student.lahirtanggal) == ("7", "2012-01-26")


def test_a_number_formatted_with_leading_zeros_keeps_them(
    load: Callable[[bytes], dict[str, str]],
) -> None:
    data = workbook(HEADER, ["x", "Siti"], change=fill("A2", 12, "0000000"))
    assert load(data) == {"0000012": "Siti"}


def test_the_roster_may_be_on_another_sheet(load: Callable[[bytes], dict[str, str]]) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Petunjuk"])
    second = book.create_sheet("Siswa")
    for row in (HEADER, ["1", "Siti"]):
        second.append(row)
    file = io.BytesIO()
    book.save(file)
    assert load(file.getvalue()) == {"1": "Siti"}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (workbook(HEADER, ["1", "Ani"], [12, "Siti"]), "Baris 3: idperson 12 tersimpan sebagai a"),
        (workbook(HEADER, ["1", "Ani"], [12.5, "Siti"]), "Baris 3: idperson 12.5 tersimpan"),
        (workbook([*HEADER, "phone"], ["1", "Ani", 812]), "Baris 2: phone 812 tersimpan"),
        (
            workbook([*HEADER, "KelasFormal"], [], ["1", "Ani", date(2026, 1, 7)]),
            "Baris 3: kelas_formal tersimpan sebagai tanggal (2026-01-07)",
        ),
        (workbook(HEADER, ["1", True]), "Baris 2: nama berisi TRUE"),
        (workbook(HEADER, ["1", "#REF!"]), "Baris 2: nama berisi #REF!"),
        (workbook(HEADER, ["1", "=A1"]), "Baris 2: nama kosong"),
        (workbook(["nim", "name"], ["1", "Ani"]), "Baris 1: kolom idperson, nama tidak ada"),
        (workbook(HEADER, ["1", "Ani"], ["1", "Budi"]), "Baris 3: idperson 1 sudah ada di nomor 2"),
        (workbook(HEADER), "Tidak ada siswa"),
        (workbook(), "kolom idperson, nama tidak ada"),
        (
            workbook(HEADER, ["1", "Ani"], change=lambda sheet: sheet.merge_cells("B2:B3")),
            "Baris 2: ada sel yang digabung",
        ),
        (b"PK\x03\x04 kein Archiv", "rusak"),
        (workbook(HEADER, ["1", "Ani"])[:-90], "rusak"),
    ],
)
def test_a_value_that_a_spreadsheet_changed_is_refused_with_its_line(
    load: Callable[[bytes], dict[str, str]], app: Flask, data: bytes, message: str
) -> None:
    with pytest.raises(Invalid) as caught:
        load(data)
    assert message in str(caught.value)
    with app.app_context():
        assert stored() == {}


def set_part(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda parts: parts.update({name: content})


def fill_part(name: str, size: int) -> Callable[[dict[str, bytes]], None]:
    return lambda parts: parts.update({name: b" " * size})


def without(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda parts: parts.update({name: b""})


SHEET = "xl/worksheets/sheet1.xml"
ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">
<c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>"""
FAR = b"""<?xml version="1.0"?><worksheet
xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="99999999999">
<c t="inlineStr"><is><t>idperson</t></is></c></row></sheetData></worksheet>"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_part("xl/vbaProject.bin", b"x"), "berisi makro"),
        (set_part("xl/media/image1.bmp", b"\0" * (3 << 20)), "terlalu besar"),
        (fill_part(SHEET, 300 << 20), "terlalu besar"),
        (lambda parts: parts.pop("[Content_Types].xml"), "bukan buku kerja"),
        (set_part("xl/styles.xml", b"<xf/>" * 200_001), "terlalu besar"),
        (set_part("xl/workbook.bin", b"x"), "buku kerja biner"),
        (set_part(SHEET, ENTITIES), "rusak"),
        (set_part(SHEET, b"<worksheet"), "rusak"),
        (set_part(SHEET, FAR), "tidak punya baris sejauh itu"),
        (without("xl/styles.xml"), "rusak"),
        (without("xl/workbook.xml"), "rusak"),
    ],
)
def test_a_dangerous_or_broken_workbook_is_refused(
    load: Callable[[bytes], dict[str, str]],
    change: Callable[[dict[str, bytes]], None],
    message: str,
) -> None:
    with pytest.raises(Invalid) as caught:
        load(repacked(workbook(HEADER, ["1", "Ani"]), change))
    assert message in str(caught.value)


def test_an_archive_that_declares_a_smaller_size_is_refused(
    load: Callable[[bytes], dict[str, str]],
) -> None:
    data = repacked(workbook(HEADER, ["1", "Ani"]), set_part(SHEET, b" " * (4 << 20)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        size = archive.getinfo(SHEET).file_size
    forged = data.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    with pytest.raises(Invalid, match="rusak"):
        load(forged)


def padded(rows: Iterable[bytes]) -> bytes:
    """Return a workbook of one student, with `rows` (XML) after the student's row."""
    parts = zipfile.ZipFile(io.BytesIO(workbook(HEADER, ["0012", "Siti"])))
    head, tail = parts.read(SHEET).split(b"</sheetData>")
    file = io.BytesIO()
    with parts, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in set(parts.namelist()) - {SHEET}:
            archive.writestr(name, parts.read(name))
        with archive.open(SHEET, "w") as sheet:
            sheet.writelines((head, *rows, b"</sheetData>" + tail))
    return file.getvalue()


def test_empty_rows_are_no_students_and_take_little_memory(
    load: Callable[[bytes], dict[str, str]],
) -> None:
    data = padded(b'<row r="%d" ht="20" customHeight="1"/>' % n for n in range(3, 100_000))
    tracemalloc.start()
    try:
        assert load(data) == {"0012": "Siti"}
        assert tracemalloc.get_traced_memory()[1] < 250 * 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("start", "part", "end", "message"),
    [
        (b"", b'<row r="3"/>', b"", "Baris 3: lembar Excel tidak punya baris sejauh itu"),
        (b'<row r="3">', b"<c/>", b"</row>", "terlalu besar bila dibuka"),
        (b"</sheetData><sheetData>", b"<x/>", b"", "terlalu besar bila dibuka"),
    ],
)
def test_a_sheet_that_would_fill_the_memory_is_refused(
    load: Callable[[bytes], dict[str, str]], start: bytes, part: bytes, end: bytes, message: str
) -> None:
    noise = random.Random(1)  # a higher compression ratio would be refused before reading
    parts = (part * 1000 + b"<!--%s-->" % noise.randbytes(200).hex().encode() for _ in range(1050))
    with pytest.raises(Invalid, match=message):
        load(padded([start, *parts, end]))


def test_a_number_is_accepted_as_an_id_only_if_one_known_id_matches(
    load: Callable[[bytes], dict[str, str]],
) -> None:
    load(workbook(HEADER, ["100222", "Ani"], ["0012", "Budi"], ["7", "Cici"], ["007", "Dedi"]))
    names = load(workbook(HEADER, [100222, "Ani Wijaya"]))
    assert names["100222"] == "Ani Wijaya"
    for number in (12, 7, 999):
        with pytest.raises(Invalid, match=f"Baris 2: idperson {number} tersimpan sebagai angka"):
            load(workbook(HEADER, [number, "Siti"]))
