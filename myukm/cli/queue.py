"""`flask queue`: see what the queues do, why they don't, and set them going again."""

import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import click
from flask_babel import format_decimal
from flask_babel import gettext as _
from rich.console import Console
from rich.live import Live
from sqlalchemy.exc import SQLAlchemyError

from myukm import listeners
from myukm.cli import queue_tables as tables
from myukm.cli.exits import CommandGroup, fail
from myukm.extensions import valkey
from myukm.ops import api_probe, doctor, failed_jobs, restart, stats, trial
from myukm.queues import DEFAULT, QUEUES

PIPE_WIDTH = 160
MONITOR_SECONDS = 1.0
BENCH_SECONDS = 60.0
EXITS = {"ok": 0, "warning": 1, "broken": 2}

group = CommandGroup("queue", help="See what the queues do, and why they don't.")
some_queue = click.Choice(QUEUES)


def console() -> Console:
    """Return the terminal; wide enough for whole lines when it is a pipe."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def as_json(value: Any) -> None:
    """Print `value` as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


@group.command("monitor")
@click.option("--once", is_flag=True, help="Print the figures once (as in a pipe) and return.")
@click.option("--json", "json_", is_flag=True, help="Print them as JSON.")
def monitor(once: bool, json_: bool) -> None:
    """Show each queue: waiting, oldest, running, finished, failed, rate; workers; latest jobs."""
    valkey().ping()
    if json_:
        as_json(stats.health())
    elif once or not sys.stdout.isatty():
        console().print(tables.health(stats.health()))
    else:
        watch(lambda: tables.health(stats.health()))


def watch(draw: Callable[[], Any]) -> None:
    """Draw again every second until Ctrl-C."""
    with suppress(KeyboardInterrupt), Live(draw(), console=console(), screen=True) as live:
        while True:
            time.sleep(MONITOR_SECONDS)
            live.update(draw())


@group.command("doctor")
@click.option("--json", "json_", is_flag=True, help="Print the findings as JSON.")
def examine(json_: bool) -> None:
    """Say why jobs don't move: what is wrong, since when, and the cure. Exit 0, 1 or 2."""
    with suppress(SQLAlchemyError):
        api_probe.probe()
    report = doctor.report()
    if json_:
        as_json(report)
    else:
        console().print(tables.findings(report), soft_wrap=True)
    sys.exit(EXITS[report["status"]])


@group.command("ping")
@click.argument("queues", nargs=-1, type=some_queue, metavar="[QUEUE]...")
@click.option("--timeout", type=click.FloatRange(0.1), default=5.0, show_default=True)
def ping(queues: Sequence[str], timeout: float) -> None:
    """Put a job that does nothing in each queue and wait for its answer. Exit 1 when none came."""
    valkey().ping()
    answers = trial.ping(queues or QUEUES, timeout)
    console().print(tables.answers(answers))
    sys.exit(0 if all(answer.worker for answer in answers) else 1)


@group.command("bench")
@click.argument("queue", type=some_queue, default=DEFAULT)
@click.option("-n", "count", type=click.IntRange(1, 100_000), default=200, show_default=True)
def bench(queue: str, count: int) -> None:
    """Measure dispatch, wait and run time of jobs that do nothing."""
    valkey().ping()
    figures = trial.bench(queue, count, BENCH_SECONDS)
    if figures is None:
        why = listeners.why_not_served(queue)
        fail(why[1] if why else _("Pekerjaannya tidak selesai pada waktunya."), 1)
    console().print(tables.figures(queue, figures))


@group.command("failed")
@click.option("-n", "count", type=click.IntRange(1), default=50, show_default=True)
@click.option("--json", "json_", is_flag=True, help="Print them as JSON.")
def failed(count: int, json_: bool) -> None:
    """List failed jobs, the newest first."""
    rows = failed_jobs.failed_rows(count)
    if json_:
        as_json(rows)
    else:
        console().print(tables.failures(rows))


@group.command("retry")
@click.argument("job_ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "all_", is_flag=True, help="Retry every failed job.")
def retry(job_ids: Sequence[str], all_: bool) -> None:
    """Put failed jobs back into their queues."""
    if bool(job_ids) == all_:
        raise click.UsageError(_("Sebutkan ID pekerjaan, atau --all."))
    wanted = job_ids or [job for name in QUEUES for job in failed_jobs.failed_ids(name)]
    count = failed_jobs.retry(wanted)
    click.echo(_("%(count)s pekerjaan diantrikan lagi.", count=format_decimal(count)))


@group.command("clear")
@click.argument("queue", type=some_queue)
@click.option("--waiting", is_flag=True, help="Drop the jobs that wait.")
@click.option("--failed", "failed_", is_flag=True, help="Forget the jobs that failed.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def clear(queue: str, waiting: bool, failed_: bool, yes: bool) -> None:
    """Empty a queue of what waits, or of what failed."""
    if waiting == failed_:
        raise click.UsageError(_("Pilih --waiting atau --failed."))
    what = _("yang menunggu") if waiting else _("yang gagal")
    if not yes:
        question = _("Hapus semua pekerjaan %(what)s di antrian %(queue)s?", what=what, queue=queue)
        click.confirm(question, abort=True)
    count = (failed_jobs.clear_waiting if waiting else failed_jobs.clear_failed)(queue)
    click.echo(_("%(count)s pekerjaan dihapus.", count=format_decimal(count)))


@group.command("restart")
def restart_workers() -> None:
    """Ask all workers for a warm restart: they finish or give back their job and start anew."""
    restart.ask(valkey())
    click.echo(_("worker.py diminta mulai lagi; ia selesai dalam beberapa detik."))
    plain = [worker.name for worker in listeners.look().workers if worker.alive and not worker.ours]
    for name in plain:
        click.echo(
            _("Worker rq biasa tidak bisa mulai sendiri, ulangi dengan tangan: %(name)s", name=name)
        )
