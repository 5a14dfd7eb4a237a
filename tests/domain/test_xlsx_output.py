"""Cells of a workbook are read back as they were written: no formula, no link, exact amounts."""

import io
import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from myukm.domain import xlsx_output
from myukm.domain.xlsx_output import OLD_SECONDS, Book, Column, Money, Sweeper

ODD = [
    '=HYPERLINK("http://x")',
    "http://x",
    "  blank before and behind ",
    "Ma'ruf & <b>Siti</b> #1 100%s",
    "🌙 عائشة",
    "tab\there",
    "+62 812",
]


def rows_of(values: list[object], **options: bool) -> list[tuple[object, ...]]:
    file = io.BytesIO()
    with Book(file, ZoneInfo("Asia/Jakarta")) as book:
        sheet = book.add("Lembar", [Column("Satu", 10), Column("Dua", 10)])
        for value in values:
            sheet.write((value, 7))
    found = openpyxl.load_workbook(file, **options)["Lembar"]
    return list(found.iter_rows(values_only=True))[1:]


@pytest.mark.parametrize("options", [{}, {"read_only": True}])
def test_texts_are_read_back_unchanged(options: dict[str, bool]) -> None:
    assert rows_of([*ODD, ""], **options) == [*((text, 7) for text in ODD), (None, 7)]


def test_amounts_and_times_are_stored_as_numbers() -> None:
    moment = datetime(2026, 11, 25, 20, 5, 9, tzinfo=UTC)
    amounts = [Money(0), Money(35_000_000), Money(-150), Money(10**17 + 5)]
    found = [first for first, _ in rows_of([*amounts, 12, moment])]
    assert found == [0, 350_000, -1.5, (10**17 + 5) / 100, 12, datetime(2026, 11, 26, 3, 5, 9)]


def test_an_error_deletes_the_folder_and_writes_no_workbook() -> None:
    file = io.BytesIO()
    book = Book(file, ZoneInfo("UTC"))
    folder = Path(book.book.tmpdir)
    assert folder.is_dir()
    with pytest.raises(KeyError), book:
        raise KeyError
    assert not folder.exists()
    assert file.getvalue() == b""


def test_many_rows_keep_their_order_across_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_output, "MAX_ROWS", 7)
    monkeypatch.setattr(xlsx_output, "PORTION", 3)
    file = io.BytesIO()
    with Book(file, ZoneInfo("UTC")) as book:
        cells = [(book.cell(n),) for n in range(20)]
        book.add("A", [Column("Satu", 9)]).write_cells(cells)
    sheets = openpyxl.load_workbook(file)
    found = [[row[0] for row in list(sheet.values)[1:]] for sheet in sheets]
    assert found == [list(range(7)), list(range(7, 14)), list(range(14, 20))]


def test_the_folder_of_a_killed_process_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Book(io.BytesIO(), ZoneInfo("Asia/Jakarta")):
        [living] = tmp_path.iterdir()
        dead = tmp_path / "myukm-xlsx-dead"
        dead.mkdir()
        (dead / "sheet").write_text("<row/>")
        two_hours = time.time() - OLD_SECONDS - 1
        os.utime(dead, (two_hours, two_hours))
        other = tmp_path / "other"
        other.mkdir()
        os.utime(other, (two_hours, two_hours))
        Sweeper().run()
        assert set(tmp_path.iterdir()) == {living, other}
