"""`flask backup` and `flask restore`: the whole program in one file."""

from pathlib import Path

import click
from flask_babel import format_decimal
from flask_babel import gettext as _

from myukm.catalogue import N_
from myukm.cli.errors import REFUSED, fail
from myukm.cli.groups import command
from myukm.ops import backup as backups
from myukm.ops.backup import Manifest


@command("backup", help=N_("Cadangkan semuanya ke satu BERKAS; `verify BERKAS` mengujinya."))
@click.argument(
    "words",
    nargs=-1,
    required=True,
    metavar=N_("[verify] BERKAS"),
    help=N_("Berkas cadangan; dengan `verify` ia diuji, bukan ditulis."),
)
def backup(words: tuple[str, ...]) -> None:
    """Write a backup to a file, or prove that one can be restored."""
    file = words[-1]
    try:
        if len(words) == 1:
            say(_("dicadangkan"), file, backups.write(Path(file)))
        elif words[0] == "verify" and len(words) == 2:
            say(_("dapat dipulihkan"), file, backups.verify(Path(file)))
        else:
            raise click.UsageError(_("Tulis `backup BERKAS` atau `backup verify BERKAS`."))
    except OSError as error:
        fail(f"{file}: {error.strerror}", REFUSED)


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
    backups.require_stopped()
    if not yes:
        click.confirm(_("Ganti SEMUA isi basis data dengan isi %(file)s?", file=file), abort=True)
    say(_("dipulihkan"), file, backups.restore(Path(file)))


def say(done: str, file: str, manifest: Manifest) -> None:
    """Print what was done with how many rows."""
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
