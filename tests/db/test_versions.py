"""A process knows the migrations of the code that it runs, though an upgrade replaces the files."""

from pathlib import Path

import pytest

import config
from myukm import create_app
from myukm.db import versions


def test_an_upgrade_of_the_files_does_not_change_what_a_process_knows(
    settings: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_start = versions.newest_migration()
    for each in (versions.newest_migration, versions.known_migrations, versions._numbers):
        each.cache_clear()
    create_app(config.load(settings))
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions/9999.py").write_text("revision = '9999'\n")
    monkeypatch.setattr(versions, "MIGRATIONS", tmp_path)
    assert versions.newest_migration() == at_start
    assert at_start in versions.known_migrations()
