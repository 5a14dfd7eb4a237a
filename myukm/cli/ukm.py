"""`flask ukm`: units and their members."""

import sys

import click
from flask_babel import gettext as _
from rich.console import Console
from rich.table import Table

from myukm.cli.groups import CommandGroup
from myukm.domain.chat import ukm_office
from myukm.i18n import N_

BY, PIPE_WIDTH = "flask ukm", 160

group = CommandGroup("ukm", help=N_("Unit kegiatan mahasiswa dan anggotanya."))


@group.command("create", help=N_("Buat UKM."))
@click.option("--name", required=True, metavar=N_("NAMA"), help=N_("Nama UKM."))
@click.option(
    "--code",
    required=True,
    metavar=N_("KODE"),
    help=N_("Alamatnya dan, pada awalnya, kode gabungnya."),
)
def create(name: str, code: str) -> None:
    """Make a unit."""
    made = ukm_office.create(name, code, by=BY)
    click.echo(_("UKM %(code)s (%(name)s) dibuat.", code=made.code, name=made.name))


@group.command("add", help=N_("Jadikan sebuah akun anggota UKM."))
@click.argument("code", metavar=N_("KODE"), help=N_("Kode UKM."))
@click.argument("nim", metavar="NIM", help=N_("NIM akunnya."))
@click.option("--admin", is_flag=True, help=N_("Sebagai pengurus UKM itu."))
def add(code: str, nim: str, admin: bool) -> None:
    """Make the account NIM a member of the unit CODE."""
    ukm_office.add(code, nim, is_admin=admin, by=BY)
    click.echo(_("%(nim)s kini anggota %(code)s.", nim=nim, code=code.upper()))


@group.command("list", help=N_("Daftar UKM dan jumlah anggotanya."))
def list_() -> None:
    """List the units with the number of their members."""
    shown = Table(_("Kode"), _("Nama"), _("Kode gabung"))
    shown.add_column(_("Anggota"), justify="right")
    for unit, size in ukm_office.everything():
        shown.add_row(unit.code, unit.name, unit.join_code, str(size))
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, markup=False, emoji=False)
    console.print(shown)
