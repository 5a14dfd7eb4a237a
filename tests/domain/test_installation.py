"""The version by which the doctor tells processes with other code."""

from pathlib import Path

import pytest

from myukm.domain import installation


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ("config.py", True),
        ("worker.py", True),
        ("myukm/jobs/chat.py", True),
        ("myukm/templates/base.html", True),
        ("myukm/translations/en/LC_MESSAGES/messages.mo", True),
        ("myukm/static/js/core/app.js", False),
        ("instance/notes.py", False),
    ],
)
def test_the_version_covers_all_that_a_process_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str, differs: bool
) -> None:
    monkeypatch.setattr(installation, "PROGRAM", tmp_path)
    before = installation.code_version.__wrapped__()
    (tmp_path / changed).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / changed).write_text("new")
    assert (installation.code_version.__wrapped__() != before) == differs


def test_this_program_has_each_kind_of_file() -> None:
    assert all(any(installation.PROGRAM.glob(pattern)) for pattern in installation.LOADED)
