"""Backups: one file with every row of every table, as they were at one moment, and the bytes of
uploaded files. The program may run meanwhile.

The file is a ZIP archive: each table's rows as lines of JSON, and a manifest with the number of
rows and a digest of each table. It does not depend on the kind of database, so making it needs no
database tools, SQLite can verify it, and it moves a campus from SQLite to PostgreSQL.
"""

import hashlib
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec
from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import Connection, Table, false, func, insert, select, text

from myukm.db.engine import migration_engine
from myukm.db.session import snapshot_options
from myukm.db.types import to_iso8601
from myukm.db.versions import applied_migrations
from myukm.errors import Conflict
from myukm.extensions import db
from myukm.models import LeaderLease
from myukm.ops import backup_files, backup_rows
from myukm.ops.backup_archive import (
    FORM,
    MANIFEST,
    Manifest,
    damaged,
    member_of,
    opened,
    read_manifest,
)
from myukm.ops.periodic import ABANDONED_SECONDS
from myukm.private_files import replacing

BATCH_ROWS = 1000
# A running program raises the leader's heartbeat within this time, even if its leader has just
# died: the time until another process takes over, and two polls, which may be slow without Valkey.
ALIVE_SECONDS = ABANDONED_SECONDS + 4.0


def write(path: Path) -> Manifest:
    """Write a backup to `path` and return its manifest. A file there is replaced at the end.

    Raises OSError when the file cannot be written.
    """
    with replacing(path) as file:
        return _write(file)


def _write(file: IO[bytes]) -> Manifest:
    with _snapshot() as connection, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=4) as archive:
        migration = next(iter(applied_migrations(connection)), "")
        manifest = Manifest(FORM, to_iso8601(datetime.now(UTC)) or "", migration)
        for table in db.metadata.sorted_tables:
            manifest.columns[table.name] = list(map(str, table.columns.keys()))
            with archive.open(member_of(table), "w", force_zip64=True) as member:
                lines = _lines(connection, table, manifest)
                manifest.tables[table.name] = _count_and_digest(lines, member.write)
        manifest.files = backup_files.write(archive, connection)
        archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def verify(path: Path) -> Manifest:
    """Restore the backup into a scratch database and return its manifest.

    Raises `Invalid` if the file is no backup of this version of the program, or if a restored
    table or file differs from the manifest.
    """
    with tempfile.TemporaryDirectory() as folder:
        scratch = f"sqlite:///{folder}/scratch.db"
        with _connection(scratch, writes=True) as connection:
            db.metadata.create_all(connection)
            manifest = _load(path, connection)
        with _connection(scratch) as connection:
            for table in db.metadata.sorted_tables:
                restored = _count_and_digest(
                    _lines(connection, table, manifest), lambda _line: None
                )
                if restored != manifest.tables[table.name]:
                    raise damaged(path, table.name)
    with opened(path) as archive:
        for name in backup_files.damaged_members(archive):
            raise damaged(path, name)
        if backup_files.count(archive) != manifest.files:
            raise damaged(path, backup_files.FOLDER)
    return manifest


def restore(path: Path) -> Manifest:
    """Store the backup's files, then replace all rows of the database by its rows, all or nothing.

    Raises `Invalid` if the file is no backup of this version of the program.
    """
    with opened(path) as archive:
        read_manifest(archive, path)
        backup_files.restore(archive)
    with _connection(_database(), writes=True) as connection:
        return _load(path, connection)


def _load(path: Path, connection: Connection) -> Manifest:
    with opened(path) as archive:
        manifest = read_manifest(archive, path)
        for table in reversed(db.metadata.sorted_tables):
            connection.execute(table.delete())
        for table in db.metadata.sorted_tables:
            with archive.open(member_of(table)) as lines:
                _insert(connection, table, manifest, lines)
        _analyze(connection)
    return manifest


def _analyze(connection: Connection) -> None:
    """Update the statistics of PostgreSQL's query planner, because autovacuum does so only after a
    minute or more, and until then a search in many messages takes half a second."""
    if connection.dialect.name == "postgresql":
        for table in db.metadata.sorted_tables:
            connection.execute(text(f'ANALYZE "{table.name}"'))


def require_stopped() -> None:
    """Raise `Conflict` while a web server or worker runs on the database."""
    heartbeat = select(LeaderLease.heartbeat)
    before = db.session.scalar(heartbeat)
    deadline = time.monotonic() + ALIVE_SECONDS
    while time.monotonic() < deadline:
        db.session.rollback()
        if db.session.scalar(heartbeat) != before:
            raise Conflict(
                _("Program masih berjalan. Hentikan dulu semua web dan worker."), code="running"
            )
        time.sleep(0.2)
    db.session.rollback()  # the database would end an idle transaction during the restore


@contextmanager
def _connection(uri: str, **options: Any) -> Iterator[Connection]:
    """Open a connection of its own with a transaction and without statement time-outs."""
    engine = migration_engine(uri)
    try:
        with engine.connect() as connection:
            own = connection.execution_options(**options)
            with own.begin():
                yield own
    finally:
        engine.dispose()


def _snapshot() -> AbstractContextManager[Connection]:
    """Return a connection that sees one moment of the database, however long it reads."""
    return _connection(_database(), **snapshot_options(db.engine.dialect))


def _database() -> str:
    return str(current_app.config["SQLALCHEMY_DATABASE_URI"])


def _lines(connection: Connection, table: Table, manifest: Manifest) -> Iterator[bytes]:
    """Yield each row of a table as a line, parents before the rows that refer to them."""
    query = select(*manifest.columns_of(table)).order_by(*table.primary_key)
    for row in connection.execution_options(yield_per=BATCH_ROWS).execute(query):
        yield backup_rows.encode(row)


def _count_and_digest(lines: Iterable[bytes], consume: Any) -> tuple[int, str]:
    """Pass each line to `consume`; return the number of lines and a digest of them that does not
    depend on their order, because databases sort texts differently."""
    count = total = 0
    for line in lines:
        consume(line)
        count += 1
        total += int.from_bytes(hashlib.sha256(line).digest())
    return count, f"{total % 2**256:064x}"


def _insert(connection: Connection, table: Table, manifest: Manifest, lines: IO[bytes]) -> None:
    columns = manifest.columns_of(table)
    rows = (backup_rows.decode(columns, line) for line in lines)
    while batch := list(islice(rows, BATCH_ROWS)):
        connection.execute(insert(table), batch)
    _set_sequence(connection, table)


def _set_sequence(connection: Connection, table: Table) -> None:
    """Set PostgreSQL's sequence of ids to the id after the restored rows."""
    key = table.autoincrement_column
    if connection.dialect.name == "postgresql" and key is not None:
        sequence = text("SELECT pg_get_serial_sequence(:table, :column)")
        name = connection.scalar(sequence, {"table": table.name, "column": key.name})
        if name:
            following = select(func.coalesce(func.max(key), 0) + 1).scalar_subquery()
            connection.execute(select(func.setval(name, following, false())))
