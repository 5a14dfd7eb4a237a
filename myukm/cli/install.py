"""`flask install` and `flask upgrade`: the program as services of this machine."""

from pathlib import Path

import click
from flask_babel import gettext as _

from config import INSTANCE
from myukm.catalogue import N_
from myukm.cli.groups import command
from myukm.ops.deployment.install import install as install_services
from myukm.ops.deployment.install import planned
from myukm.ops.deployment.upgrade import Upgrade

UNITS = "/etc/systemd/system"


@command(
    "install", help=N_("Pasang web, worker, cadangan malam, dan bila perlu Valkey di systemd.")
)
@click.option("--print", "show", is_flag=True, help=N_("Hanya tampilkan unitnya."))
@click.option(
    "--user",
    metavar=N_("NAMA"),
    help=N_("Pengguna yang menjalankan layanan; tanpanya pemilik folder proyek."),
)
@click.option(
    "--workers",
    type=click.IntRange(1, 32),
    default=1,
    show_default=True,
    metavar=N_("JUMLAH"),
    help=N_("Banyaknya worker."),
)
@click.option(
    "--backups",
    type=click.Path(file_okay=False, path_type=Path),
    metavar=N_("FOLDER"),
    help=N_("Folder cadangan tiap malam; tanpanya instance/backups."),
)
@click.option(
    "--units",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=UNITS,
    show_default=True,
    metavar=N_("FOLDER"),
    help=N_("Folder unit systemd."),
)
def install(show: bool, user: str | None, workers: int, backups: Path | None, folder: Path) -> None:
    """Write, enable and start the services, or print their units."""
    services = planned(user, workers, backups)
    if show:
        for name, text in services.texts.items():
            click.echo(f"# {folder / name}\n{text}")
        return
    for path in install_services(services, folder):
        click.echo(_("ditulis: %(path)s", path=path))
    for service in services.names:
        click.echo(_("berjalan: %(service)s", service=service))
    click.echo(_("Periksa: runuser -u %(user)s -- ./run queue doctor", user=services.place.account))


@command("upgrade", help=N_("Perbarui program: cadangkan, ambil kode baru, migrasi, mulai ulang."))
@click.option(
    "--backups",
    type=click.Path(file_okay=False, path_type=Path),
    metavar=N_("FOLDER"),
    help=N_("Folder cadangan sebelum pembaruan; tanpanya instance/backups."),
)
def upgrade(backups: Path | None) -> None:
    """Check, back up, take the new code, migrate, restart, check; go back when a step fails."""
    Upgrade(click.echo, backups or INSTANCE / "backups").run()
