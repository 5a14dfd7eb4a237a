"""No spreadsheet reads a formula in our CSV files, whichever separator it assumes."""

import ast
import csv
import io
import random
import re
from decimal import Decimal
from pathlib import Path

import pytest

from myukm.domain import csv_output
from tests.support.programs import ROOT

STARTERS = "=+-@＝＋－＠"
EVIL = (
    "=1+1",
    "@SUM(A1)",
    "Siti;=1+1",
    "Siti; =1+1",
    'Siti;"=1+1"',
    'Siti;""=1+1',
    "Siti\t=1+1",
    "Siti\r=1+1",
    "Siti\r\n=1+1",
    "Siti\n;+1+1",
    "Siti,=1+1",
    "Siti|=1+1",
    ";=1+1",
    '";=1+1',
    "-1+1",
    "a;-1+cmd|' /C calc'!A0",
    "\ufeff=1+1",
    "\u200b=1+1",
    "\x00=1+1",
    "a;\u202e=1+1",
)


def cells(text: str, separator: str) -> list[str]:
    """Return every cell that a spreadsheet may read, also with quoting ignored across lines."""
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator)
    lines = csv.reader(text.removeprefix("\ufeff").splitlines(), delimiter=separator)
    return [cell for row in (*rows, *lines) for cell in row]


def is_formula(cell: str) -> bool:
    """Return whether a spreadsheet would evaluate the cell as a formula."""
    start = re.sub(r"^[\s\x00-\x1f\u200b-\u202e\ufeff]+", "", cell)
    return start[:1] in set(STARTERS) and not re.fullmatch(r"-[0-9]+(\.[0-9]+)?", cell)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("evil", EVIL)
def test_no_cell_is_a_formula(evil: str, separator: str) -> None:
    text = "".join(csv_output.to_csv(("a", "b", "c"), [("1", evil, "z"), (evil, evil, evil)]))
    assert [cell for cell in cells(text, separator) if is_formula(cell)] == []


def test_no_mixture_of_signs_is_a_formula() -> None:
    rng = random.Random(7)
    for _ in range(3000):
        fields = ["".join(rng.choices("=+-@;,|\t\r\n\"' x1", k=8)) for _ in range(3)]
        text = "".join(csv_output.to_csv(("a", "b", "c"), [fields]))
        for separator in ",;\t|":
            found = [cell for cell in cells(text, separator) if is_formula(cell)]
            assert found == [], (fields, text)


def test_harmless_cells_are_unchanged() -> None:
    for plain in ("Siti Rahma", "MTs; VII A", "a-b", "-350000", "-0.50", "1;2", "x = y", "Jum'at"):
        assert csv_output.escape_formula(plain) == plain
    assert csv_output.escape_formula(Decimal(-5)) == Decimal(-5)


def test_only_one_module_writes_csv() -> None:
    writers = [
        path.relative_to(ROOT)
        for path in (ROOT / "myukm").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in ("writer", "DictWriter")
        and isinstance(node.value, ast.Name)
        and node.value.id == "csv"
    ]
    assert writers == [Path("myukm/domain/csv_output.py")]
