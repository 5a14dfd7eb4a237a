"""The group `flask queue`, helpers of its commands, and `flask queue restart`."""

import json
import shutil
from typing import Any

import click
from flask_babel import gettext as _
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from myukm.catalogue import N_
from myukm.cli.actor import actor
from myukm.cli.groups import CommandGroup
from myukm.db.session import transaction
from myukm.domain import activity
from myukm.extensions import valkey
from myukm.queues import restart_counter
from myukm.queues.jobs import QUEUES
from myukm.queues.workers import snapshot

PIPE_WIDTH = 160

group = CommandGroup("queue", help=N_("Lihat kerja antrian, dan sebabnya bila macet."))
some_queue = click.Choice(QUEUES)


def console() -> Console:
    """Return a rich console as wide as `COLUMNS` or the terminal; without either `PIPE_WIDTH`, so
    that no line is cut."""
    width = shutil.get_terminal_size((PIPE_WIDTH, 24)).columns
    return Console(width=width, highlight=False)


def print_json(value: Any) -> None:
    """Print `value` as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def record(action: str, subject: str = "") -> None:
    """Record the action in the activity log. Without a database, only print a warning, because
    the action itself has already happened in Valkey."""
    try:
        with transaction():
            activity.record(actor(), action, subject)
    except SQLAlchemyError:
        click.echo(_("Tidak tercatat di jejak audit: basis data tidak menjawab."), err=True)


@group.command(
    "restart",
    help=N_(
        "Minta semua worker mulai lagi. Pekerjaan di tangan mereka diselesaikan atau dikembalikan."
    ),
)
def restart_workers() -> None:
    """Request a warm restart: every worker finishes or requeues its job, then restarts."""
    restart_counter.request(valkey())
    record("queue.restart")
    click.echo(_("worker.py diminta mulai lagi; ia selesai dalam beberapa detik."))
    plain_rq = [worker.name for worker in snapshot().workers if worker.alive and not worker.ours]
    for name in plain_rq:
        click.echo(
            _("Worker rq biasa tidak bisa mulai sendiri, ulangi dengan tangan: %(name)s", name=name)
        )
