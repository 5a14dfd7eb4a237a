"""Files have the students and totals that the page shows, and no formula."""

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from flask import Flask

from myukm.db.session import transaction
from myukm.domain import xlsx_output
from myukm.domain.payment_api.parser import parse
from myukm.domain.payment_api.work_item import Item
from myukm.domain.siswa import listing_files, owing
from myukm.domain.siswa.filters import Filters
from myukm.domain.siswa.filters import parse as filters_of
from myukm.domain.sync import results
from myukm.errors import Invalid
from myukm.models import Siswa
from tests.support.bills import random_students

COUNT = 70
FORMULA = '=HYPERLINK("http://x")'
FILTERS: list[dict[str, list[str]]] = [
    {},
    {"status": ["tunggakan"], "sort": ["tunggakan"], "group": ["category"]},
    {"period": ["20212022"], "unit": ["MTs"], "group": ["unit"]},
    {"unit": ["tidak ada"]},
]


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        items = []
        with transaction() as session:
            for n, periods in enumerate(random_students(seed=3, count=COUNT), 1):
                unit = ("MTs", "MA")[n % 2]
                name = FORMULA if n == 1 else f"Nama {n}"
                session.add(Siswa(idperson=f"{n:04}", nama=name, unit_formal=unit))
                account = {"idperson": f"{n:04}", "saldo": 0, "periods": periods}
                answer = parse(json.dumps({"data": [account]}).encode(), f"{n:04}")
                items.append(Item(1, f"{n:04}", answer=answer))
        with transaction() as session:
            results.take_in(session, None, items[:-3], guarded=False)
        yield app


def book_of(filters: Filters) -> Any:
    file = io.BytesIO()
    listing_files.write_xlsx(filters, file)
    return openpyxl.load_workbook(file)


def column(sheet: Any, title: str) -> list[Any]:
    head = [cell.value for cell in sheet[1]]
    return [row[head.index(title)].value for row in sheet.iter_rows(min_row=2)]


def rupiah(values: list[Any]) -> Decimal:
    return sum((round(Decimal(value), 2) for value in values), Decimal(0))


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("query", FILTERS)
def test_a_workbook_has_every_student_of_the_filter_and_the_totals(query: dict[str, Any]) -> None:
    filters = filters_of(query)
    total, book = owing.report(filters).total, book_of(filters)
    students, bills = book["Siswa"], book["Tagihan"]
    assert len(column(students, "ID")) == total.siswa
    for title, sen in (("Tunggakan", total.tunggakan), ("Lebih bayar", total.lebih_bayar)):
        assert rupiah(column(students, title)) * 100 == sen
        about = dict(row[:2] for row in book["Keterangan"].iter_rows(values_only=True))
        assert rupiah([about[title]]) * 100 == sen
        if query.get("group"):
            shared = rupiah(column(book["Kelompok"], title)) * 100
            assert shared == sen
    left = column(bills, "Sisa")
    assert rupiah([rest for rest in left if rest > 0]) * 100 == total.tunggakan
    assert (students.freeze_panes, bills.freeze_panes) == ("A2", "A2")
    if not query:
        assert FORMULA in column(students, "Nama")
        assert {cell.data_type for cell in students["B"]} == {"s"}


@pytest.mark.usefixtures("inside")
def test_the_status_in_a_workbook_is_that_of_the_bills_of_the_filter() -> None:
    book = book_of(filters_of({"category": ["SPP"], "status": ["lunas"]}))
    assert {status.partition(" · ")[0] for status in column(book["Siswa"], "Status")} == {"Lunas"}


@pytest.mark.usefixtures("inside")
@pytest.mark.parametrize("query", FILTERS)
def test_a_csv_file_has_the_rows_of_the_page(query: dict[str, Any]) -> None:
    filters, file = filters_of(query), io.BytesIO()
    listing_files.write_csv(filters, file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig"))))
    pages = [owing.as_json(owing.report(filters, page)) for page in (1, 2)]
    listed = [line for page in pages[: pages[0]["pages"]] for line in page["siswa"]]
    assert [row["idperson"] for row in rows] == [line["idperson"] for line in listed]
    for row, line in zip(rows, listed, strict=True):
        assert (row["tunggakan"], row["lebih_bayar"]) == (line["tunggakan"], line["lebih_bayar"])
        assert (row["lunas"], row["synced_at"] or None) == (
            str(line["lunas"]).lower(),
            line["synced_at"],
        )
        assert row["nama"] in (line["nama"], f"'{line['nama']}")


def test_each_printed_sheet_names_school_and_filters(inside: Flask) -> None:
    inside.config["SCHOOL_NAME"] = "MTs Al-Hikmah & MA"
    filters = filters_of({"unit": ["MTs"], "status": ["tunggakan"], "group": ["unit"]})
    for sheet in book_of(filters):
        head = sheet.oddHeader.left.text
        assert head.startswith("MTs Al-Hikmah && MA · ")
        assert " · Unit: MTs · Status: " in head
        assert (sheet.print_title_rows, sheet.oddFooter.right.text) == ("$1:$1", "&P / &N")


@pytest.mark.usefixtures("inside")
def test_more_rows_than_fit_into_a_sheet_continue_on_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(xlsx_output, "MAX_ROWS", 40)
    book = book_of(Filters())
    assert len(column(book["Siswa"], "ID") + column(book["Siswa 2"], "ID")) == COUNT
    assert "Siswa 3" not in book.sheetnames


@pytest.mark.usefixtures("inside")
def test_too_many_students_are_refused_with_their_number() -> None:
    with pytest.raises(Invalid, match="70 siswa terlalu banyak"):
        listing_files.check_size(Filters(), COUNT - 1)
    listing_files.check_size(filters_of({"unit": ["MA"]}), COUNT - 1)
