"""`flask user`: accounts."""

import sys
from io import TextIOWrapper
from typing import cast

import click
from flask_babel import gettext as _
from rich.console import Console
from rich.table import Table

from myukm.catalogue import N_
from myukm.cli.groups import CommandGroup
from myukm.domain.accounts import (
    accounts,
    administration,
    bulk_invite,
    bulk_invite_csv,
    password_reset,
)
from myukm.domain.actor import Actor
from myukm.domain.paging import Page
from myukm.models import Role, User

BY, PIPE_WIDTH = Actor("flask user"), 160

nim_option = click.option(
    "--nim", required=True, metavar="NIM", help=N_("Yang dipakai orangnya untuk masuk.")
)
from_stdin = click.option(
    "--password-stdin", is_flag=True, help=N_("Baca kata sandi dari masukan baku.")
)
group = CommandGroup("user", help=N_("Akun: buat, undang, ganti kata sandi, lihat."))


@group.command("create", help=N_("Buat akun; kata sandinya ditanyakan."))
@nim_option
@click.option("--name", required=True, metavar=N_("NAMA"), help=N_("Nama orangnya."))
@click.option(
    "--role",
    required=True,
    type=click.Choice([str(role) for role in Role]),
    help=N_("Peran orangnya."),
)
@from_stdin
def create(nim: str, name: str, role: str, password_stdin: bool) -> None:
    """Create an account; prompts for its password unless it comes on standard input."""
    user = accounts.create(nim, name, role, password(password_stdin), by=BY)
    click.echo(_("Akun %(nim)s (%(name)s) dibuat.", nim=user.nim, name=user.name))


@group.command("password", help=N_("Ganti kata sandi. Akun itu dikeluarkan dari semua perangkat."))
@nim_option
@from_stdin
def change_password(nim: str, password_stdin: bool) -> None:
    """Set a password, which ends all log-ins of that account."""
    user = accounts.find(nim)
    accounts.set_password(user.nim, password(password_stdin), by=BY)
    click.echo(_("Kata sandi %(nim)s diganti.", nim=user.nim))


@group.command("reset-code", help=N_("Kode sekali pakai untuk kata sandi yang lupa (24 jam)."))
@nim_option
def reset_code(nim: str) -> None:
    """Print a one-time code for the account's owner to set a new password."""
    click.echo(password_reset.issue(accounts.find(nim), by=BY).code)


@group.command(
    "import", help=N_("Undang semua orang di BERKAS.csv (nim,name,role); cetak kodenya.")
)
@click.argument(
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar=N_("BERKAS.csv"),
    help=N_("Berkas CSV dengan kolom nim, name, role."),
)
@click.option("--dry-run", is_flag=True, help=N_("Hanya periksa berkasnya."))
def import_(file: str, dry_run: bool) -> None:
    """Invite everyone in a CSV file and print their one-time codes as CSV, or list its errors."""
    with click.open_file(file, "rb") as opened:
        data = opened.read(bulk_invite_csv.MAX_BYTES + 1)
    try:
        if dry_run:
            preview = bulk_invite.check(data)
            require_valid(preview)
            click.echo(_("%(n)d orang siap diundang.", n=preview.people))
        else:
            sys.stdout.writelines(bulk_invite.invite(data, by=BY))
    except bulk_invite.InvalidCsv as error:
        for line, reason in error.preview.problems:
            click.echo(_("Baris %(n)d: %(reason)s", n=line, reason=reason), err=True)
        raise


def require_valid(preview: bulk_invite.Preview) -> None:
    """Raise `InvalidCsv` if the preview has errors."""
    if preview.problems:
        raise bulk_invite.InvalidCsv(preview)


@group.command("list", help=N_("Daftar akun menurut nama, 50 per halaman."))
@click.option("--search", "q", default="", metavar=N_("KATA"), help=N_("Kata dari nama atau NIM."))
@click.option(
    "--page",
    default=1,
    type=click.IntRange(1),
    show_default=True,
    metavar=N_("NOMOR"),
    help=N_("Halaman ke berapa."),
)
def list_(q: str, page: int) -> None:
    """List accounts by name, 50 at a time."""
    found = administration.search(q, page)
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, markup=False, emoji=False)
    console.print(table(found))
    where = {"page": found.page, "pages": found.pages, "total": found.total}
    click.echo(_("Halaman %(page)d dari %(pages)d, %(total)d akun", **where))


def table(found: Page[User]) -> Table:
    """Return the accounts as a table for a terminal."""
    shown = Table("NIM", _("Nama"), _("Peran"), _("Status"))
    for user in found.items:
        status = _("diblokir") if user.blocked_at else _("aktif")
        shown.add_row(user.nim, user.name, user.role, status)
    return shown


def password(piped: bool) -> str:
    """Return the first line of standard input if it is `piped`, or prompt twice without echo."""
    if piped:
        # Invalid bytes become surrogates, which validation refuses with a sentence.
        cast(TextIOWrapper, sys.stdin).reconfigure(errors="surrogateescape")
        return sys.stdin.readline().rstrip("\r\n")
    asked = click.prompt(_("Kata sandi"), hide_input=True, confirmation_prompt=_("Sekali lagi"))
    return str(asked)
