"""`flask backup` and `flask restore`: all data of the program in one file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from flask_babel import format_decimal
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from myukm.catalogue import N_
from myukm.cli.actor import actor
from myukm.cli.errors import REFUSED, fail
from myukm.cli.groups import command
from myukm.db.types import utcnow
from myukm.errors import DomainError
from myukm.ops import backup as backups
from myukm.ops import backup_log
from myukm.ops.backup_archive import Manifest

OLD_PART_SECONDS = 86_400
NIGHTLY = f"myukm-{'[0-9]' * 8}-{'[0-9]' * 6}.zip"  # other files in the folder are not ours


@command("backup", help=N_("Cadangkan semuanya ke satu BERKAS; `verify BERKAS` mengujinya."))
@click.argument(
    "words",
    nargs=-1,
    metavar=N_("[verify] BERKAS"),
    help=N_("Berkas cadangan; dengan `verify` ia diuji, bukan ditulis."),
)
@click.option(
    "--into",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    metavar=N_("FOLDER"),
    help=N_("Tulis berkas baru bernama waktu ke FOLDER, uji, lalu hapus yang paling lama."),
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    default=14,
    show_default=True,
    metavar=N_("JUMLAH"),
    help=N_("Dengan --into: banyaknya cadangan yang disimpan."),
)
def backup(words: tuple[str, ...], folder: Path | None, keep: int) -> None:
    """Write a backup, or verify a backup, or (`--into`) write and verify a new one in a folder."""
    if folder and not words:
        _nightly(folder, keep)
    elif len(words) == 1 and not folder:
        with _failure_recorded(path := Path(words[0])):
            _echo(_("dicadangkan"), path, backups.write(path))
    elif words[:1] == ("verify",) and len(words) == 2 and not folder:
        _verify(Path(words[1]))
    else:
        raise click.UsageError(
            _("Tulis `backup BERKAS`, `backup verify BERKAS`, atau `backup --into FOLDER`.")
        )


def _nightly(folder: Path, keep: int) -> None:
    """Write and verify a new backup, and delete the oldest backups beyond `keep`."""
    path = folder / f"myukm-{utcnow():%Y%m%d-%H%M%S}.zip"
    with _failure_recorded(path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _delete_parts(folder)
        _echo(_("dicadangkan"), path, backups.write(path))
    _verify(path)
    # Without the new backup, so that a wrong clock cannot delete it.
    others = sorted(set(folder.glob(NIGHTLY)) - {path})
    for old in others[: max(0, len(others) - keep + 1)]:
        old.unlink()


def _delete_parts(folder: Path) -> None:
    """Delete old partial files of killed backups; a younger file may belong to a running backup."""
    for part in folder.glob(".myukm-*.zip.*"):
        with suppress(FileNotFoundError):
            if time.time() - part.stat().st_mtime > OLD_PART_SECONDS:
                part.unlink()


def _verify(path: Path) -> None:
    with _failure_recorded(path):
        manifest = backups.verify(path)
    backup_log.record_verified(actor(), path.absolute(), manifest)
    _echo(_("dapat dipulihkan"), path, manifest)


@contextmanager
def _failure_recorded(path: Path) -> Iterator[None]:
    """Record the failure of a backup for the doctor, and end the command with one line about it."""
    try:
        yield
    except (DomainError, OSError) as error:
        why = (isinstance(error, OSError) and error.strerror) or str(error)
        with suppress(SQLAlchemyError):
            backup_log.record_failure(actor(), path.absolute(), why)
        if isinstance(error, DomainError):
            raise
        fail(f"{path}: {why}", REFUSED)


@command("restore", help=N_("Ganti seluruh isi basis data dengan isi cadangan BERKAS."))
@click.argument(
    "file",
    type=click.Path(exists=True, dir_okay=False),
    metavar=N_("BERKAS"),
    help=N_("Berkas dari `backup`."),
)
@click.option("--yes", is_flag=True, help=N_("Jangan bertanya dulu."))
def restore(file: str, yes: bool) -> None:
    """Replace everything in the database by the rows of a backup."""
    if not yes:
        click.confirm(_("Ganti SEMUA isi basis data dengan isi %(file)s?", file=file), abort=True)
    backups.require_stopped()  # after the question, because its answer may take long
    manifest = backups.restore(Path(file))
    backup_log.record_verified(actor(), Path(file).absolute(), manifest)
    _echo(_("dipulihkan"), Path(file), manifest)


def _echo(done: str, file: Path, manifest: Manifest) -> None:
    """Print what was `done` with the file, and how many rows and tables it has."""
    click.echo(
        _(
            "%(file)s: %(rows)s baris dari %(tables)s tabel %(done)s (keadaan %(time)s).",
            file=file,
            rows=format_decimal(manifest.rows),
            tables=len(manifest.tables),
            done=done,
            time=manifest.made_at,
        )
    )
