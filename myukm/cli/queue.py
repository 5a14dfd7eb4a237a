"""`flask queue`: monitor, diagnose and test the queues."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import click
from flask_babel import gettext as _
from redis.exceptions import RedisError
from rich.live import Live
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from myukm.catalogue import N_
from myukm.cli import queue_monitor
from myukm.cli import queue_tables as tables
from myukm.cli.errors import fail, one_line, server_trouble
from myukm.cli.options import as_json
from myukm.cli.queue_jobs import console, group, print_json, some_queue
from myukm.extensions import db, valkey
from myukm.ops import api_probe, doctor, job_recovery, stats
from myukm.ops.history import series
from myukm.queues import queue_ping
from myukm.queues.jobs import DEFAULT, QUEUES
from myukm.queues.workers import unserved_reason

MONITOR_SECONDS = 1.0
BENCH_SECONDS = 60.0
PROBE_SECONDS = 2.0
EXITS = {"ok": 0, "warning": 1, "broken": 2}


@group.command("monitor", help=N_("Tampilkan antrian, worker dan pekerjaan terakhir."))
@click.option("--once", is_flag=True, help=N_("Cetak sekali saja, lalu selesai."))
@as_json
def monitor(once: bool, as_json: bool) -> None:
    """Show each queue: waiting, oldest, running, finished, failed, rate; workers; latest jobs."""
    valkey().ping()
    if as_json:
        print_json(stats.health())
    elif once or not sys.stdout.isatty():
        console().print(current_screen())
    else:
        watch(current_screen)


def current_screen() -> Any:
    """Return the monitor's screen, without the history if the database is unreachable."""
    try:
        history = series.of_range("hour")
    except SQLAlchemyError:
        db.session.rollback()
        history = None
    return queue_monitor.screen(stats.health(), doctor.report(), history)


def watch(draw: Callable[[], Any]) -> None:
    """Redraw every second until Ctrl-C."""
    with suppress(KeyboardInterrupt), Live(draw(), console=console(), screen=True) as live:
        while True:
            time.sleep(MONITOR_SECONDS)
            live.update(draw())


@group.command(
    "doctor",
    help=N_(
        "Jelaskan mengapa pekerjaan tidak jalan, dan obatnya. Keluar dengan 0 bila sehat, 1 bila "
        "ada yang perlu diperhatikan, 2 bila rusak."
    ),
)
@click.option(
    "--fix", is_flag=True, help=N_("Sembuhkan dulu yang aman disembuhkan, dan katakan apa itu.")
)
@as_json
def doctor_command(fix: bool, as_json: bool) -> None:
    """Print the doctor's findings. Exit 0 (ok), 1 (warning) or 2 (broken)."""
    if fix:
        done = list(heal())
        click.echo("\n".join(done or [_("Tidak ada yang perlu disembuhkan.")]), err=as_json)
    try:
        api_probe.probe_unless_known(PROBE_SECONDS)
    except (RedisError, SQLAlchemyError):  # the report says so
        db.session.rollback()
    report = doctor.report()
    if as_json:
        print_json(report)
    else:
        console().print(tables.findings(report), soft_wrap=True)
        if report["findings"]:
            console().print(tables.entries(report), soft_wrap=True)
    sys.exit(EXITS[report["status"]])


def heal() -> Iterator[str]:
    """Heal what is safe to heal; yield what was done, and why if a server prevents the rest."""
    try:
        yield from job_recovery.fix()
    except (RedisError, DBAPIError) as error:
        db.session.rollback()
        if not (why := server_trouble(error)):
            raise
        yield one_line(why)


@group.command(
    "ping",
    help=N_(
        "Kirim pekerjaan kosong ke tiap antrian dan tunggu jawabannya. Keluar dengan 1 bila ada "
        "yang tidak menjawab."
    ),
)
@click.argument(
    "queues",
    nargs=-1,
    type=some_queue,
    metavar=N_("[ANTRIAN]..."),
    help=N_("Antrian yang diuji; semua bila tidak disebut."),
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1),
    default=5.0,
    show_default=True,
    metavar=N_("DETIK"),
    help=N_("Berapa lama jawaban ditunggu."),
)
def ping(queues: Sequence[str], timeout: float) -> None:
    """Enqueue a no-op job in each queue and wait for the results. Exit 1 if one is missing."""
    valkey().ping()
    answers = queue_ping.ping(queues or QUEUES, timeout)
    console().print(tables.answers(answers))
    for answer in answers:
        if answer.worker is None and (why := unserved_reason(answer.queue)):
            click.echo(why[1], err=True)
    sys.exit(0 if all(answer.worker for answer in answers) else 1)


@group.command("bench", help=N_("Ukur waktu antri, tunggu dan jalan pekerjaan kosong."))
@click.argument("queue", type=some_queue, default=DEFAULT, help=N_("Antrian yang diukur."))
@click.option(
    "-n",
    "count",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    metavar=N_("JUMLAH"),
    help=N_("Berapa pekerjaan."),
)
def bench(queue: str, count: int) -> None:
    """Measure dispatch, wait and run time of no-op jobs."""
    valkey().ping()
    figures = queue_ping.bench(queue, count, BENCH_SECONDS)
    if figures is None:
        why = unserved_reason(queue)
        fail(why[1] if why else _("Pekerjaannya tidak selesai pada waktunya."), 1)
    console().print(tables.figures(queue, figures))
