"""`flask user`: accounts."""

import sys

import click
from flask_babel import gettext as _
from rich.console import Console
from rich.table import Table

from myukm.cli.exits import CommandGroup
from myukm.domain import accounts, people
from myukm.domain.paging import Page
from myukm.models import Role, User

BY, PIPE_WIDTH = "flask user", 160

group = CommandGroup("user", help="Accounts: make one, change a password, list.")


@group.command("create")
@click.option("--nim", required=True, help="What the person logs in with.")
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice([str(role) for role in Role]))
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create(nim: str, name: str, role: str, password_stdin: bool) -> None:
    """Make an account; asks for its password unless it comes on standard input."""
    user = accounts.create(nim, name, role, password(password_stdin), by=BY)
    click.echo(_("Akun %(nim)s (%(name)s) dibuat.", nim=user.nim, name=user.name))


@group.command("password")
@click.option("--nim", required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def change_password(nim: str, password_stdin: bool) -> None:
    """Change a password and log that account out everywhere."""
    user = accounts.find(nim)
    accounts.set_password(user.nim, password(password_stdin), by=BY)
    click.echo(_("Kata sandi %(nim)s diganti.", nim=user.nim))


@group.command("list")
@click.option("--search", "q", default="", help="Words of name or NIM.")
@click.option("--page", default=1, type=click.IntRange(1))
def list_(q: str, page: int) -> None:
    """List accounts by name, 50 at a time."""
    found = people.search(q, page)
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


def password(from_stdin: bool) -> str:
    """Return the password: the first line of standard input, or asked for twice, unseen."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    asked = click.prompt(_("Kata sandi"), hide_input=True, confirmation_prompt=_("Sekali lagi"))
    return str(asked)
