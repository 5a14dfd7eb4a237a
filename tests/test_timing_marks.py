"""Few tests are retried when they fail, each for a reason that its mark `timing` names."""

import ast
from functools import cache
from pathlib import Path

from tests.support.programs import ROOT

MARK = "pytest.mark.timing"
MAX_MARKS = 25


@cache
def nodes() -> list[tuple[Path, ast.AST]]:
    """Return every node of the tests' syntax trees, with its file."""
    files = sorted((ROOT / "tests").rglob("*.py"))
    return [(path, node) for path in files for node in ast.walk(ast.parse(path.read_text()))]


def timing_marks() -> list[tuple[Path, ast.Call]]:
    """Return the file and the call of every mark, of a test or of a whole module."""
    calls = [(path, node) for path, node in nodes() if isinstance(node, ast.Call)]
    return [(path, call) for path, call in calls if ast.unparse(call.func) == MARK]


def test_a_mark_names_its_reason() -> None:
    for path, mark in timing_marks():
        reason = ast.literal_eval(mark.args[0])
        assert isinstance(reason, str), path
        assert len(reason.split()) > 3, (path, reason)
    uses = [path for path, node in nodes() if getattr(node, "attr", "") == "timing"]
    assert uses == [path for path, _mark in timing_marks()], "a mark without a reason"


def test_few_tests_are_retried() -> None:
    assert 0 < len(timing_marks()) <= MAX_MARKS
