"""`flask siswa`: import and list students."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from flask_babel import format_decimal
from flask_babel import gettext as _
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from myukm.catalogue import N_
from myukm.cli.actor import actor
from myukm.cli.errors import FAILURES
from myukm.cli.groups import CommandGroup
from myukm.cli.options import as_json, at_most
from myukm.domain.income import agreement
from myukm.domain.paging import PER_PAGE
from myukm.domain.roster import importing
from myukm.domain.roster.importing import Report
from myukm.domain.siswa import bill_table, directory
from myukm.domain.siswa.filters import FILTER_VALUES
from myukm.domain.siswa.verdict_labels import describe
from myukm.models import Siswa

PIPE_WIDTH, MAX_PROBLEMS = 160, 20

group = CommandGroup("siswa", help=N_("Muat dan lihat siswa."))


@group.command(
    "import",
    help=N_(
        "Muat siswa dari berkas CSV atau XLSX (semuanya atau tidak sama sekali) atau dari API "
        "pembayaran (siswa yang datanya salah dilewati, kode keluar 3)."
    ),
)
@click.argument(
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=False,
    metavar=N_("[BERKAS]"),
    help=N_("Berkas CSV atau XLSX."),
)
@click.option("--from-api", is_flag=True, help=N_("Muat dari API pembayaran."))
@click.option(
    "--whole",
    is_flag=True,
    help=N_("Berkas itu daftar lengkap: siswa yang tidak ada di dalamnya menjadi nonaktif."),
)
@click.option(
    "--accept",
    is_flag=True,
    help=N_("Terima juga bila banyak siswa menjadi nonaktif (lebih dari GUARD_SHARE)."),
)
def import_(file: Path | None, from_api: bool, whole: bool, accept: bool) -> None:
    """Import students from a file or from the payment API; exit 3 if students were left out."""
    if (file is None) != from_api:
        raise click.UsageError(_("Sebutkan sebuah berkas CSV atau XLSX, atau --from-api."))
    with progress_bar() as report:
        by = actor()
        if file:
            done = importing.from_file(file, report, whole=whole, accept=accept, by=by)
        else:
            done = importing.from_api(report, accept=accept, by=by)
    click.echo(
        _(
            "%(total)d siswa dibaca: %(added)d baru, %(changed)d diperbarui, "
            "%(gone)d menjadi nonaktif.",
            total=done.total,
            added=done.added,
            changed=done.changed,
            gone=done.deactivated,
        )
    )
    if done.warning:
        click.echo(done.warning, err=True)
    if done.left_out:
        print_left_out(done.left_out)
        sys.exit(FAILURES)


def print_left_out(problems: Sequence[object]) -> None:
    """Print each rejected row and its reason on standard error."""
    click.echo(_("%(n)d baris dilewati, siswanya tetap seperti semula:", n=len(problems)), err=True)
    for problem in problems[:MAX_PROBLEMS]:
        click.echo(f"  {problem}", err=True)
    if len(problems) > MAX_PROBLEMS:
        click.echo("  …", err=True)


@contextmanager
def progress_bar() -> Iterator[Report]:
    """Yield a callback that draws an import's progress; it draws only on a terminal."""
    labels = {"check": _("Memeriksa"), "load": _("Memuat")}
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    ) as bar:
        tasks = {step: bar.add_task(label, total=None) for step, label in labels.items()}
        yield lambda step, done, total: bar.update(tasks[step], completed=done, total=total)


@group.command("list", help=N_("Daftar siswa menurut nama."))
@click.option(
    "--search",
    "q",
    default="",
    metavar=N_("KATA"),
    help=N_("Kata dari nama, idperson atau kelas."),
)
@click.option(
    "--filter",
    "filters",
    type=click.Choice(FILTER_VALUES),
    multiple=True,
    help=N_("Hanya yang demikian; boleh diulang, maka semuanya harus berlaku."),
)
@at_most("--limit", default=PER_PAGE, limit=100_000)
@as_json
def list_(q: str, filters: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List students ordered by name."""
    page = directory.search(q, filters, per_page=limit)
    if as_json:
        students = [directory.as_json(one) for one in page.items]
        click.echo(json.dumps({"total": page.total, "siswa": students}, ensure_ascii=False))
        return
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, markup=False, emoji=False)
    console.print(table(page.items))
    click.echo(_("%(shown)d dari %(total)d siswa", shown=len(page.items), total=page.total))


def table(students: Sequence[Siswa]) -> Table:
    """Return the students as a table for a terminal."""
    shown = Table("idperson", _("Nama"), _("Unit dan kelas"))
    shown.add_column(_("Tunggakan"), justify="right")
    shown.add_column(_("Lebih bayar"), justify="right")
    shown.add_column(_("Status"))
    for one in students:
        place = f"{one.unit_formal} {one.kelas_formal}"
        amounts = (
            "–" if amount is None else format_decimal(amount)
            for amount in (one.tunggakan, one.lebih_bayar)
        )
        shown.add_row(one.idperson, one.nama, place, *amounts, describe(one))
    return shown


@group.command(
    "check-amounts",
    help=N_(
        "Bandingkan data pembayaran semua siswa dengan baris tagihan dan jumlahnya, dan tagihan "
        "dengan jurnal penerimaan dan saldo hariannya (kode keluar 3 bila ada yang berbeda)."
    ),
)
def check_amounts() -> None:
    """Compare the stored JSON, bills and amounts of all students, and the bills with the journal
    of income; exit 3 on any difference."""
    checked, different = 0, 0
    for number, found in bill_table.check():
        checked += number
        for one in found[: max(0, MAX_PROBLEMS - different)]:
            click.echo(f"  {one.idperson}: {one.field}", err=True)
        different += len(found)
    differences = agreement.check()
    for difference in differences[:MAX_PROBLEMS]:
        click.echo(f"  {difference_line(difference)}", err=True)
    different += len(differences)
    numbers = {"n": format_decimal(checked), "different": format_decimal(different)}
    if different:
        click.echo(_("%(n)s siswa diperiksa, %(different)s perbedaan.", **numbers))
        sys.exit(FAILURES)
    click.echo(_("%(n)s siswa diperiksa, semuanya cocok.", **numbers))


def difference_line(difference: agreement.Difference) -> str:
    """Return a line that describes a difference between bills, journal and daily balances."""
    text: str = _(
        "%(day)s, %(unit)s, %(category)s: %(field)s tertulis %(written)s, terhitung %(counted)s",
        day=difference.day or _("Sekarang"),
        unit=difference.unit or "–",
        category=difference.category or "–",
        field=difference.field,
        written=format_decimal(difference.written / 100),
        counted=format_decimal(difference.counted / 100),
    )
    return text
