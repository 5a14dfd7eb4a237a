"""The archive of a backup: its manifest, and the errors about a file that is no backup."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import msgspec
from flask_babel import lazy_gettext as _
from sqlalchemy import Column, Table

from myukm.db.versions import newest_migration
from myukm.errors import Invalid
from myukm.extensions import db

MANIFEST, FORM = "manifest.json", 1


@dataclass
class Manifest:
    """What a backup contains: `tables` maps a table's name to its number of rows and their digest,
    `columns` to the names of the columns in the order of a row's values, `files` is the number of
    uploaded files."""

    form: int
    made_at: str
    migration: str
    tables: dict[str, tuple[int, str]] = field(default_factory=dict)
    files: int = 0
    columns: dict[str, list[str]] = field(default_factory=dict)

    def columns_of(self, table: Table) -> list[Column[Any]]:
        """Return the columns of a row's values. Backups of earlier versions name none: they have
        the order of the model."""
        names = self.columns.get(table.name, table.columns.keys())
        return [table.columns[name] for name in names]

    @property
    def rows(self) -> int:
        """The number of rows in all tables."""
        return sum(rows for rows, _digest in self.tables.values())


@contextmanager
def opened(path: Path) -> Iterator[ZipFile]:
    """Open a backup. Raises `Invalid` if it is none, also for a damaged member that the block
    reads."""
    try:
        with ZipFile(path) as archive:
            yield archive
    except (BadZipFile, msgspec.DecodeError, EOFError, zlib.error) as error:
        raise Invalid(
            _("%(file)s bukan cadangan MyUKM, atau rusak.", file=path), code="bad_backup"
        ) from error


def read_manifest(archive: ZipFile, path: Path) -> Manifest:
    """Return the manifest. Raises `Invalid` if another version of the program made the backup, or
    if the table of some model is missing."""
    _require(archive, path, MANIFEST)
    migration = newest_migration()
    manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
    if (manifest.form, manifest.migration) != (FORM, migration):
        raise Invalid(
            _(
                "%(file)s dibuat dengan migrasi %(theirs)s, basis data ini bermigrasi %(ours)s. "
                "Pulihkan dengan versi program yang membuatnya, lalu perbarui.",
                file=path,
                theirs=manifest.migration,
                ours=migration,
            ),
            code="other_version",
        )
    _require(archive, path, *map(member_of, db.metadata.sorted_tables))
    return manifest


def member_of(table: Table) -> str:
    """Return the name of the member with the table's rows."""
    return f"{table.name}.jsonl"


def _require(archive: ZipFile, path: Path, *members: str) -> None:
    if missing := sorted({*members}.difference(archive.namelist())):
        text = _("%(file)s bukan cadangan MyUKM yang lengkap: tidak berisi %(members)s.")
        names = {"file": path, "members": ", ".join(missing)}
        raise Invalid(text % names, code="bad_backup")


def damaged(path: Path, part: str) -> Invalid:
    """Return the error about a table or a member that differs from what was backed up."""
    text = _("%(file)s rusak: %(table)s tidak sama dengan yang dicadangkan.")
    return Invalid(text % {"file": path, "table": part}, code="bad_backup")
