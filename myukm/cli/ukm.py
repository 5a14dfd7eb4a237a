"""`flask ukm`: UKMs and their members."""

import sys

import click
from flask_babel import gettext as _
from rich.console import Console
from rich.table import Table

from myukm.catalogue import N_
from myukm.cli.groups import CommandGroup
from myukm.domain.accounts.accounts import find
from myukm.domain.actor import Actor
from myukm.domain.ukm import administration as ukm_administration
from myukm.domain.ukm import moderation
from myukm.domain.ukm import settings as ukm_settings

ACTOR, PIPE_WIDTH = Actor("flask ukm", campus=True), 160

group = CommandGroup("ukm", help=N_("Unit kegiatan mahasiswa dan anggotanya."))


@group.command("create", help=N_("Buat UKM."))
@click.option("--name", required=True, metavar=N_("NAMA"), help=N_("Nama UKM."))
@click.option(
    "--code",
    required=True,
    metavar=N_("KODE"),
    help=N_("Alamatnya."),
)
def create(name: str, code: str) -> None:
    """Create a UKM and print its join code."""
    made = ukm_administration.create(name, code, by=ACTOR)
    click.echo(_("UKM %(code)s (%(name)s) dibuat.", code=made.code, name=made.name))
    click.echo(_("Kode gabung: %(code)s", code=made.join_code))


@group.command("add", help=N_("Jadikan sebuah akun anggota UKM."))
@click.argument("code", metavar=N_("KODE"), help=N_("Kode UKM."))
@click.argument("nim", metavar="NIM", help=N_("NIM akunnya."))
@click.option("--admin", is_flag=True, help=N_("Sebagai pengurus UKM itu."))
def add(code: str, nim: str, admin: bool) -> None:
    """Add the account NIM to the UKM CODE; `admin` makes it one of the UKM's admins."""
    ukm_administration.add(code, nim, is_admin=admin, by=ACTOR)
    click.echo(_("%(nim)s kini anggota %(code)s.", nim=nim, code=code.upper()))


@group.command("remove", help=N_("Keluarkan sebuah akun dari UKM."))
@click.argument("code", metavar=N_("KODE"), help=N_("Kode UKM."))
@click.argument("nim", metavar="NIM", help=N_("NIM akunnya."))
@click.option("--block", is_flag=True, help=N_("Jangan biarkan ia bergabung lagi."))
def remove(code: str, nim: str, block: bool) -> None:
    """Remove the account NIM from the UKM CODE; `block` also prevents it from joining again."""
    moderation.remove(ACTOR, code.upper(), find(nim).id, block=block)
    click.echo(_("%(nim)s bukan lagi anggota %(code)s.", nim=nim, code=code.upper()))


@group.command("archive", help=N_("Arsipkan UKM: hanya bisa dibaca, hilang dari daftar."))
@click.argument("code", metavar=N_("KODE"), help=N_("Kode UKM."))
def archive(code: str) -> None:
    """Archive the UKM CODE: it becomes read-only."""
    ukm_settings.archive(ACTOR, code.upper())
    click.echo(_("UKM %(code)s diarsipkan.", code=code.upper()))


@group.command("restore", help=N_("Aktifkan UKM yang diarsipkan."))
@click.argument("code", metavar=N_("KODE"), help=N_("Kode UKM."))
def restore(code: str) -> None:
    """Unarchive the UKM CODE."""
    ukm_settings.unarchive(ACTOR, code.upper())
    click.echo(_("UKM %(code)s aktif lagi.", code=code.upper()))


@group.command("renew-code", help=N_("Ganti kode gabung; yang lama tidak berlaku lagi."))
@click.argument("code", metavar=N_("KODE"), help=N_("Kode UKM."))
def renew_code(code: str) -> None:
    """Replace the join code of the UKM CODE and print the new one."""
    click.echo(ukm_settings.renew_join_code(ACTOR, code.upper()).join_code)


@group.command("list", help=N_("Daftar UKM dan jumlah anggotanya."))
@click.option("--archived", is_flag=True, help=N_("UKM yang diarsipkan saja."))
def list_(archived: bool) -> None:
    """List the UKMs with their numbers of members."""
    shown = Table(_("Kode"), _("Nama"), _("Kode gabung"))
    for title in (_("Anggota"), _("Pengurus")):
        shown.add_column(title, justify="right")
    for ukm, members, admins in ukm_administration.list_all(archived=archived):
        shown.add_row(ukm.code, ukm.name, ukm.join_code, str(members), str(admins))
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, markup=False, emoji=False)
    console.print(shown)
