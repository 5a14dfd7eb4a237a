"""`flask tunggakan`: who owes what, with the filters of the page."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click
from flask_babel import format_datetime, format_decimal
from flask_babel import gettext as _
from rich.console import Console
from rich.table import Table

from myukm.catalogue import N_
from myukm.cli.groups import command
from myukm.cli.options import as_json
from myukm.domain.payment_api.bill_rows import rupiah
from myukm.domain.siswa import owing
from myukm.domain.siswa.filters import EMPTY, GROUPS, SORTS, STATUSES, Filters, parse
from myukm.domain.siswa.listing_files import write_csv, write_xlsx
from myukm.domain.siswa.sums import Figures, Group
from myukm.errors import Invalid
from myukm.private_files import replacing

PIPE_WIDTH = 160
FILE = click.Path(dir_okay=False, path_type=Path)
PLACES = {
    "unit": N_("Hanya unit ini; boleh diulang."),
    "kelas": N_("Hanya kelas ini; boleh diulang."),
    "asrama": N_("Hanya asrama ini; boleh diulang."),
    "kamar": N_("Hanya kamar ini; boleh diulang."),
    "diniyah": N_("Hanya tingkat diniyah ini; boleh diulang."),
    "period": N_("Hanya jumlahkan tagihan periode ini; boleh diulang."),
    "category": N_("Hanya jumlahkan tagihan jenis ini; boleh diulang."),
}


def _not_empty(_context: click.Context, _option: click.Parameter, values: Any) -> Any:
    """Refuse an empty name, because a script whose variable is not set would get all students."""
    if not all(value.strip() for value in values):
        text = _("tidak boleh kosong; tulis %(none)s untuk yang tidak punya", none=EMPTY)
        raise click.BadParameter(text)
    return values


def names(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a command with an option for each name that students or bills can be filtered by."""
    for name, words in reversed(PLACES.items()):
        option = click.option(
            f"--{name}", multiple=True, metavar=N_("NAMA"), callback=_not_empty, help=words
        )
        function = option(function)
    return function


@command("tunggakan", help=N_("Siapa menunggak berapa."))
@names
@click.option("--min", metavar=N_("RUPIAH"), help=N_("Tunggakan paling sedikit sekian."))
@click.option("--max", metavar=N_("RUPIAH"), help=N_("Tunggakan paling banyak sekian."))
@click.option(
    "--status",
    type=click.Choice(STATUSES),
    multiple=True,
    help=N_("Hanya yang demikian; boleh diulang, maka salah satunya."),
)
@click.option("--search", "q", metavar=N_("KATA"), help=N_("Kata dari nama, ID, telepon, asrama."))
@click.option("--sort", type=click.Choice(SORTS), help=N_("Urutan siswa (biasanya menurut nama)."))
@click.option("--group", type=click.Choice(GROUPS), help=N_("Jumlahkan juga per kelompok."))
@as_json
@click.option("--csv", type=FILE, metavar=N_("BERKAS"), help=N_("Tulis semua siswanya ke CSV."))
@click.option(
    "--xlsx", type=FILE, metavar=N_("BERKAS"), help=N_("Tulis siswa dan tagihan ke XLSX.")
)
def tunggakan(*, as_json: bool, csv: Path | None, xlsx: Path | None, **options: Any) -> None:
    """Print who owes what, or write it into files."""
    given = {n: v if isinstance(v, tuple) else (v,) for n, v in options.items() if v is not None}
    filters = parse(given)
    for path, write in ((csv, write_csv), (xlsx, write_xlsx)):
        if path:
            save(filters, path, write)
    if (csv or xlsx) and not as_json:
        return
    report = owing.report(filters)
    if as_json:
        click.echo(json.dumps(owing.as_json(report), ensure_ascii=False))
    else:
        show(report)


def save(filters: Filters, path: Path, write: Callable[[Filters, IO[bytes]], None]) -> None:
    """Write a file completely or not at all. Raises `Invalid` if it cannot be written."""
    try:
        with replacing(path) as file:
            write(filters, file)
    except OSError as error:
        text = _("%(path)s tidak dapat ditulis: %(why)s", path=path, why=error.strerror)
        raise Invalid(text, code="not_written") from None


def show(report: owing.Report) -> None:
    """Print a report as tables: groups, the first page of students, totals."""
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, markup=False, emoji=False)
    if report.groups:
        console.print(_groups(report.groups))
    console.print(_students(report))
    click.echo(_sentence(report.total))
    moment = format_datetime(report.as_of, _("d MMM y HH.mm"))
    unknown = format_decimal(report.never_synced)
    click.echo(_("Per %(at)s; %(n)s siswa belum pernah disinkronkan.", at=moment, n=unknown))


def _groups(groups: list[Group]) -> Table:
    table = _table(_("Kelompok"), _("Siswa"), _("Tunggakan"), _("Lebih bayar"), _("Bersih"))
    for one in groups:
        sums = one.figures
        amounts = map(_amount, (sums.tunggakan, sums.lebih_bayar, sums.bersih))
        table.add_row(one.key or "–", format_decimal(sums.siswa), *amounts)
    return table


def _students(report: owing.Report) -> Table:
    table = Table("idperson", _("Nama"), _("Unit dan kelas"))
    for name in (_("Tunggakan"), _("Lebih bayar")):
        table.add_column(name, justify="right")
    for line in report.page.items:
        one = line.student
        place = f"{one.unit_formal} {one.kelas_formal}"
        table.add_row(
            one.idperson, one.nama, place, _amount(line.tunggakan), _amount(line.lebih_bayar)
        )
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(first)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _sentence(total: Figures) -> str:
    return str(
        _(
            "%(n)s siswa: tunggakan %(owed)s, lebih bayar %(over)s, bersih %(net)s",
            n=format_decimal(total.siswa),
            owed=_amount(total.tunggakan),
            over=_amount(total.lebih_bayar),
            net=_amount(total.bersih),
        )
    )


def _amount(sen: int) -> str:
    return str(format_decimal(rupiah(sen)))
