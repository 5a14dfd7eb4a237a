"""The instance folder of an older version becomes private, whatever is in it."""

import os
from pathlib import Path

import pytest

from myukm import private_files


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_one_file_that_cannot_be_changed_leaves_no_other_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of the database may be gone before its turn; here it is listed though it is gone."""
    instance = tmp_path / "instance"
    (instance / "files").mkdir(parents=True)
    key = instance / "files" / "key"
    key.write_text("secret")
    for path, rights in ((instance, 0o755), (key.parent, 0o755), (key, 0o644)):
        path.chmod(rights)
    listed = [instance / "gone", key.parent, key]
    monkeypatch.setattr(Path, "rglob", lambda _self, _pattern: iter(listed))
    before = os.umask(0o022)
    try:
        private_files.keep_private(instance)
        assert [mode(path) for path in (instance, key.parent, key)] == [0o700, 0o700, 0o600]
    finally:
        os.umask(before)
