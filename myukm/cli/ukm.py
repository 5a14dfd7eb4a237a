"""`flask ukm`: units and their members."""

import sys

import click
from flask_babel import gettext as _
from rich.console import Console
from rich.table import Table

from myukm.cli.exits import CommandGroup
from myukm.domain import ukm_office

BY, PIPE_WIDTH = "flask ukm", 160

group = CommandGroup("ukm", help="Student activity units: make one, add members, list.")


@group.command("create")
@click.option("--name", required=True)
@click.option("--code", required=True, help="Its address and, at first, its join code.")
def create(name: str, code: str) -> None:
    """Make a unit."""
    made = ukm_office.create(name, code, by=BY)
    click.echo(_("UKM %(code)s (%(name)s) dibuat.", code=made.code, name=made.name))


@group.command("add")
@click.argument("code")
@click.argument("nim")
@click.option("--admin", is_flag=True, help="As an admin of the unit.")
def add(code: str, nim: str, admin: bool) -> None:
    """Make the account NIM a member of the unit CODE."""
    ukm_office.add(code, nim, is_admin=admin, by=BY)
    click.echo(_("%(nim)s kini anggota %(code)s.", nim=nim, code=code.upper()))


@group.command("list")
def list_() -> None:
    """List the units with the number of their members."""
    shown = Table(_("Kode"), _("Nama"), _("Kode gabung"))
    shown.add_column(_("Anggota"), justify="right")
    for unit, size in ukm_office.everything():
        shown.add_row(unit.code, unit.name, unit.join_code, str(size))
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, markup=False, emoji=False)
    console.print(shown)
