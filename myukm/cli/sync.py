"""`flask sync`: start, follow and control runs of the payment sync."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click
from flask import current_app
from flask_babel import format_datetime
from flask_babel import gettext as _

from myukm.catalogue import N_
from myukm.cli import sync_output
from myukm.cli.actor import actor
from myukm.cli.errors import FAILURES, REFUSED
from myukm.cli.groups import CommandGroup
from myukm.cli.options import as_json, at_most
from myukm.domain.sync import commands, preflight, progress, run_history, schedule

ENDED_EARLY, STOPPED_WATCHING = 4, 130

group = CommandGroup("sync", help=N_("Mulai, ikuti dan kendalikan sinkronisasi pembayaran."))
watching = click.option(
    "--watch", "to_end", is_flag=True, help=N_("Ikuti sampai prosesnya berakhir.")
)


@group.command(help=N_("Mulai sinkronisasi semua siswa, atau sebagian."))
@watching
@as_json
@click.option("--dry-run", is_flag=True, help=N_("Tanya API, jangan ubah data siswa."))
@click.option(
    "--failed-of",
    type=int,
    metavar=N_("PROSES"),
    help=N_("Hanya siswa yang gagal di proses bernomor ini."),
)
@click.option(
    "--idperson",
    "chosen",
    multiple=True,
    metavar="ID",
    help=N_("Hanya siswa ini; boleh disebut berulang."),
)
def start(
    to_end: bool, as_json: bool, dry_run: bool, failed_of: int | None, chosen: Sequence[str]
) -> None:
    """Start a run over all students, or over selected students."""
    begun = commands.start(
        actor(), dry_run=dry_run, failed_of=failed_of, selected_ids=list(chosen) or None
    )
    print_accepted(begun, to_end, as_json)


@group.command("retry-failed", help=N_("Ulangi siswa yang gagal di proses terakhir."))
@watching
@as_json
def retry_failed(to_end: bool, as_json: bool) -> None:
    """Start a run over the failed students of the last run."""
    print_accepted(commands.retry_failed(actor()), to_end, as_json)


@group.command(help=N_("Tampilkan keadaan proses sekarang."))
@as_json
def status(as_json: bool) -> None:
    """Show the progress of the current run."""
    show(progress.current(), as_json)


@group.command(help=N_("Ikuti proses sekarang sampai berakhir. Ctrl-C hanya berhenti mengikuti."))
@as_json
def watch(as_json: bool) -> None:
    """Follow the current run to its end. Ctrl-C stops watching, not the run."""
    now = progress.current()
    if now["run_id"] is None:
        show(now, as_json)
        sys.exit(REFUSED)
    follow(now["run_id"], as_json)


@group.command(help=N_("Jeda proses."))
@as_json
def pause(as_json: bool) -> None:
    """Pause the run."""
    show(commands.pause(actor()), as_json)


@group.command(help=N_("Lanjutkan proses yang dijeda."))
@as_json
@click.option("--accept", is_flag=True, help=N_("Terima jawaban yang ditahan penjaga."))
def resume(as_json: bool, accept: bool) -> None:
    """Resume a paused run; `accept` also accepts the quarantined answers that paused it."""
    show(commands.resume(actor(), accept=accept), as_json)


@group.command(help=N_("Batalkan proses."))
@as_json
def cancel(as_json: bool) -> None:
    """Cancel the run."""
    show(commands.cancel(actor()), as_json)


@group.command(help=N_("Kosongkan tampilan proses; riwayatnya tetap ada."))
@as_json
def reset(as_json: bool) -> None:
    """Hide the finished run from the page; its history stays."""
    show(commands.reset(actor()), as_json)


@group.command("schedule", help=N_("Lima waktu berikutnya menurut SYNC_SCHEDULE."))
def next_times() -> None:
    """Print the next five times at which SYNC_SCHEDULE starts a run, in the campus's time zone."""
    for time in schedule.next_times(5):
        click.echo(format_datetime(time, _("EEE d MMM y HH.mm")))
    if not current_app.config["SYNC_SCHEDULE"]:
        click.echo(_("SYNC_SCHEDULE tidak diisi: tidak ada proses yang mulai sendiri."))


@group.command(help=N_("Daftar proses terbaru."))
@as_json
@at_most("--limit", default=20, limit=1000)
@click.option(
    "--before",
    type=click.IntRange(1),
    metavar=N_("PROSES"),
    help=N_("Hanya proses yang lebih lama daripada yang bernomor ini."),
)
def history(as_json: bool, limit: int, before: int | None) -> None:
    """List the newest runs, or those older than run `before`."""
    runs = run_history.runs(limit, before)
    if as_json:
        click.echo(json.dumps(runs, ensure_ascii=False))
    else:
        sync_output.table(runs)


@group.command(help=N_("Uji API pembayaran: ada, menerima token, satu siswa terbaca."))
def check() -> None:
    """Check the payment API: reachable, token accepted, one student readable."""
    findings = preflight.check()
    for finding in findings:
        click.echo(("✓ " if finding.ok else "✗ ") + finding.text)
    if not all(finding.ok for finding in findings):
        sys.exit(REFUSED)


def print_accepted(begun: dict[str, Any], to_end: bool, as_json: bool) -> None:
    """Print that a run was accepted; with `to_end`, follow it until it ends."""
    if to_end:
        follow(begun["run_id"], as_json)
    else:
        show(begun, as_json)


def follow(run_id: int, as_json: bool) -> None:
    """Follow the run until it ends and exit with the code of its outcome."""
    try:
        ended = sync_output.follow(run_id, silent=as_json)
    except KeyboardInterrupt:
        text = _(
            "Proses #%(run)d tetap berjalan. Ikuti lagi: %(command)s",
            run=run_id,
            command="./run sync watch",
        )
        click.echo(f"\n{text}", err=True)
        sys.exit(STOPPED_WATCHING)
    show(ended, as_json)
    if ended["status"] != "completed":
        sys.exit(ENDED_EARLY)
    if ended["failed"]:
        sys.exit(FAILURES)


def show(now: dict[str, Any], as_json: bool) -> None:
    """Print the progress object as JSON, or its summary line."""
    if as_json:
        click.echo(json.dumps(now, ensure_ascii=False))
        return
    click.echo(sync_output.summary(now))
    if now["reason"]:
        click.echo(_("Sebab: %(reason)s", reason=now["reason"]))
    elif now["paused_by"]:
        click.echo(_("Dijeda oleh %(name)s.", name=now["paused_by"]))
