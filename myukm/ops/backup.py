"""Backups: one file with every row of every table, as they were at one moment, and the bytes of
uploaded files. The program may run meanwhile.

The file is a ZIP archive with a table's rows as lines of JSON, and a manifest with the number of
rows and a digest of each table. It does not depend on the kind of database, so it needs no tools of
the server's, is verified in SQLite, and moves a campus from SQLite to PostgreSQL.
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
from myukm.file_permissions import replacing
from myukm.models import LeaderLease
from myukm.ops import backup_files, backup_rows
from myukm.ops.backup_archive import FORM, MANIFEST, Manifest, damaged, opened, read_manifest
from myukm.ops.periodic import ABANDONED_SECONDS

PORTION = 1000
# Within this time a running program raises the leader's heartbeat, though its leader has just died:
# the pause until another process takes over, and two polls, which may be slow without Valkey.
ALIVE_SECONDS = ABANDONED_SECONDS + 4.0


def write(path: Path) -> Manifest:
    """Write a backup to `path`, replacing a file there at the end, and return its manifest.

    Raises OSError when the file cannot be written.
    """
    with replacing(path) as file:
        return _write(file)


def _write(file: IO[bytes]) -> Manifest:
    with _snapshot() as connection, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=4) as archive:
        migration = next(iter(applied_migrations(connection)), "")
        manifest = Manifest(FORM, to_iso8601(datetime.now(UTC)) or "", migration)
        for table in db.metadata.sorted_tables:
            with archive.open(f"{table.name}.jsonl", "w", force_zip64=True) as member:
                manifest.tables[table.name] = _summed(_lines(connection, table), member.write)
        manifest.files = backup_files.write(archive, connection)
        archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def verify(path: Path) -> Manifest:
    """Restore the backup into a scratch database and return its manifest.

    Raises `Invalid` for what is no backup of this version, or when a table differs from what the
    program saw when it made the backup.
    """
    with tempfile.TemporaryDirectory() as folder:
        scratch = f"sqlite:///{folder}/scratch.db"
        with _connection(scratch, writes=True) as connection:
            db.metadata.create_all(connection)
            manifest = _load(path, connection)
        with _connection(scratch) as connection:
            for table in db.metadata.sorted_tables:
                if _summed(_lines(connection, table), len) != manifest.tables[table.name]:
                    raise damaged(path, table.name)
    with opened(path) as archive:
        for name in backup_files.damaged(archive):
            raise damaged(path, name)
        if backup_files.count(archive) != manifest.files:
            raise damaged(path, backup_files.FOLDER)
    return manifest


def restore(path: Path) -> Manifest:
    """Replace all rows of the database by those of the backup, all or nothing.

    The bytes of its files are stored before. Raises `Invalid` for what is no backup of this version
    of the program.
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
            with archive.open(f"{table.name}.jsonl") as lines:
                _insert(connection, table, lines)
        _analyze(connection)
    return manifest


def _analyze(connection: Connection) -> None:
    """Update the statistics of PostgreSQL's query planner: it does so by itself only after a minute
    or more, and until then a search in many messages takes half a second."""
    if connection.dialect.name == "postgresql":
        for table in db.metadata.sorted_tables:
            connection.execute(text(f'ANALYZE "{table.name}"'))


def require_stopped() -> None:
    """Raise `Conflict` while a web server or worker runs on the database."""
    beats = select(LeaderLease.heartbeat)
    before = db.session.scalar(beats)
    deadline = time.monotonic() + ALIVE_SECONDS
    while time.monotonic() < deadline:
        db.session.rollback()
        if db.session.scalar(beats) != before:
            raise Conflict(
                _("Program masih berjalan. Hentikan dulu semua web dan worker."), code="running"
            )
        time.sleep(0.2)
    db.session.rollback()  # an idle transaction would be ended while the backup is restored


@contextmanager
def _connection(uri: str, **options: Any) -> Iterator[Connection]:
    """A transaction of its own, whose statements may take any time."""
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


def _lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """Yield each row of a table as a line, parents before the rows that refer to them."""
    query = select(table).order_by(*table.primary_key)
    for row in connection.execution_options(yield_per=PORTION).execute(query):
        yield backup_rows.encode(row)


def _summed(lines: Iterable[bytes], each: Any) -> tuple[int, str]:
    """Pass on each line; return how many there were and a digest that does not depend on their
    order, because databases sort texts differently."""
    count = total = 0
    for line in lines:
        each(line)
        count += 1
        total += int.from_bytes(hashlib.sha256(line).digest())
    return count, f"{total % 2**256:064x}"


def _insert(connection: Connection, table: Table, lines: IO[bytes]) -> None:
    rows = (backup_rows.decode(table, line) for line in lines)
    while portion := list(islice(rows, PORTION)):
        connection.execute(insert(table), portion)
    _set_sequence(connection, table)


def _set_sequence(connection: Connection, table: Table) -> None:
    """Set PostgreSQL's sequence of ids behind the restored rows."""
    key = table.autoincrement_column
    if connection.dialect.name == "postgresql" and key is not None:
        sequence = text("SELECT pg_get_serial_sequence(:table, :column)")
        name = connection.scalar(sequence, {"table": table.name, "column": key.name})
        if name:
            following = select(func.coalesce(func.max(key), 0) + 1).scalar_subquery()
            connection.execute(select(func.setval(name, following, false())))
