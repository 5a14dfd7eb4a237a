"""Few tests are tried again, each for a reason that its mark names."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.programs import ROOT

MOST = 25


def timing_marks() -> Iterator[tuple[Path, ast.expr]]:
    """Yield the file and the expression of every `timing` decorator."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield from (
                    (path, mark) for mark in node.decorator_list if "timing" in ast.dump(mark)
                )


def test_a_mark_names_its_reason() -> None:
    for path, mark in timing_marks():
        assert isinstance(mark, ast.Call), path
        reason = ast.literal_eval(mark.args[0])
        assert isinstance(reason, str), path
        assert len(reason.split()) > 3, (path, reason)


def test_they_are_few() -> None:
    assert 0 < len(list(timing_marks())) <= MOST
