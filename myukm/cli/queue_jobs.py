"""The `flask queue` commands that act: list and retry failed jobs, clear, restart workers."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click
from flask_babel import format_decimal
from flask_babel import gettext as _
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from myukm.catalogue import N_
from myukm.cli import queue_tables as tables
from myukm.cli.actor import actor
from myukm.cli.groups import CommandGroup
from myukm.cli.options import as_json, at_most
from myukm.db.session import transaction
from myukm.domain import activity
from myukm.extensions import valkey
from myukm.ops import restart_flag
from myukm.queues import failed_jobs
from myukm.queues.jobs import QUEUES
from myukm.queues.workers import snapshot

PIPE_WIDTH, MAX_NAMED = 160, 4

group = CommandGroup("queue", help=N_("Lihat kerja antrian, dan sebabnya bila macet."))
some_queue = click.Choice(QUEUES)


def console() -> Console:
    """Return a rich console; a pipe gets a width at which no line is cut."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def print_json(value: Any) -> None:
    """Print `value` as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def record(action: str, subject: str = "") -> None:
    """Record the action in the activity log. Without a database, print a warning instead: the
    action itself has already happened in Valkey."""
    try:
        with transaction():
            activity.record(actor(), action, subject)
    except SQLAlchemyError:
        click.echo(_("Tidak tercatat di jejak audit: basis data tidak menjawab."), err=True)


def _shortened(ids: Sequence[str]) -> str:
    more = " …" if len(ids) > MAX_NAMED else ""
    return f"{len(ids)}: {' '.join(ids[:MAX_NAMED])}{more}"


@group.command("failed", help=N_("Daftar pekerjaan yang gagal, yang terbaru dulu."))
@at_most("-n", "count", default=50)
@as_json
def failed(count: int, as_json: bool) -> None:
    """List failed jobs, newest first."""
    rows = failed_jobs.failed_rows(count)
    if as_json:
        print_json(rows)
    else:
        console().print(tables.failures(rows))


@group.command("retry", help=N_("Antrikan lagi pekerjaan yang gagal."))
@click.argument("job_ids", nargs=-1, metavar="[ID]...", help=N_("ID pekerjaan yang diulang."))
@click.option("--all", "all_", is_flag=True, help=N_("Ulangi semua yang gagal."))
def retry(job_ids: Sequence[str], all_: bool) -> None:
    """Requeue failed jobs."""
    if bool(job_ids) == all_:
        raise click.UsageError(_("Sebutkan ID pekerjaan, atau --all."))
    wanted = job_ids or [job for name in QUEUES for job in failed_jobs.failed_ids(name)]
    count = failed_jobs.retry(wanted)
    record("queue.retry", _shortened(wanted))
    click.echo(_("%(count)s pekerjaan diantrikan lagi.", count=format_decimal(count)))


@group.command("clear", help=N_("Kosongkan antrian dari yang menunggu, atau dari yang gagal."))
@click.argument("queue", type=some_queue, help=N_("Antrian yang dikosongkan."))
@click.option("--waiting", is_flag=True, help=N_("Hapus pekerjaan yang menunggu."))
@click.option("--failed", "failed_", is_flag=True, help=N_("Hapus pekerjaan yang gagal."))
@click.option("--yes", is_flag=True, help=N_("Jangan bertanya dulu."))
def clear(queue: str, waiting: bool, failed_: bool, yes: bool) -> None:
    """Delete the waiting or the failed jobs of a queue."""
    if waiting == failed_:
        raise click.UsageError(_("Pilih --waiting atau --failed."))
    what = _("yang menunggu") if waiting else _("yang gagal")
    if not yes:
        question = _("Hapus semua pekerjaan %(what)s di antrian %(queue)s?", what=what, queue=queue)
        click.confirm(question, abort=True)
    count = (failed_jobs.clear_waiting if waiting else failed_jobs.clear_failed)(queue)
    record("queue.clear", f"{queue} {'waiting' if waiting else 'failed'}: {count}")
    click.echo(_("%(count)s pekerjaan dihapus.", count=format_decimal(count)))


@group.command(
    "restart",
    help=N_(
        "Minta semua worker mulai lagi. Pekerjaan di tangan mereka diselesaikan atau dikembalikan."
    ),
)
def restart_workers() -> None:
    """Request a warm restart: every worker finishes or requeues its job, then restarts."""
    restart_flag.request(valkey())
    record("queue.restart")
    click.echo(_("worker.py diminta mulai lagi; ia selesai dalam beberapa detik."))
    plain = [worker.name for worker in snapshot().workers if worker.alive and not worker.ours]
    for name in plain:
        click.echo(
            _("Worker rq biasa tidak bisa mulai sendiri, ulangi dengan tangan: %(name)s", name=name)
        )
