"""Terminal output of runs: a summary line, a progress bar, a table of past runs."""

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from itertools import count
from typing import Any

import click
from flask import current_app
from flask_babel import format_datetime, format_decimal
from flask_babel import gettext as _
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from myukm.domain.sync import run_history
from myukm.domain.sync.status_labels import status_label
from myukm.domain.sync.watchdog import Watchdog
from myukm.extensions import db
from myukm.models.sync import LIVE

POLL_SECONDS, WATCH_EVERY = 0.5, 2  # polls of the run per round of the watchdog
PIPE_WIDTH = 160

Show = Callable[[dict[str, Any]], None]


def summary(now: dict[str, Any]) -> str:
    """Return a run's progress in one line."""
    if now["run_id"] is None:
        return str(_("Tidak ada sinkronisasi."))
    counts = {name: format_decimal(now[name]) for name in ("processed", "total", "success")}
    counts |= {name: format_decimal(now[name]) for name in ("unchanged", "failed", "cancelled")}
    return str(
        _(
            "Proses #%(run)d %(status)s, %(percent)s%%: %(processed)s dari %(total)s siswa "
            "diproses, %(success)s berhasil (%(unchanged)s tidak berubah), %(failed)s gagal, "
            "%(cancelled)s dibatalkan.",
            run=now["run_id"],
            status=status_label(now["status"]).lower(),
            percent=format_decimal(now["percent"]),
            **counts,
        )
    )


def follow(run_id: int, *, silent: bool) -> dict[str, Any]:
    """Show a run until it has ended and return its last progress object.

    Also runs the sync watchdog, so that a run is driven even if neither web nor worker.py runs.
    """
    watcher = Watchdog(current_app.config["SYNC_LANE_TIMEOUT"])
    with _display(silent) as show:
        for tick in count():
            if tick % WATCH_EVERY == 0:
                watcher.watch()
            db.session.remove()  # ends the read transaction, so that this poll sees new commits
            now = run_history.run(run_id)
            show(now)
            if now["status"] not in LIVE:
                break
            time.sleep(POLL_SECONDS)
    return now


def _display(silent: bool) -> AbstractContextManager[Show]:
    if silent:
        return nullcontext(lambda now: None)
    return BarReporter() if Console(stderr=True).is_terminal else nullcontext(LineReporter())


class LineReporter:
    """Prints a line at every ten percent and at every change of status or reason, until the run's
    end, which the command prints itself."""

    def __init__(self) -> None:
        self._printed: tuple[Any, ...] = ()

    def __call__(self, now: dict[str, Any]) -> None:
        if now["status"] not in LIVE:
            return
        tenth = int(now["percent"] // 10)
        if (line := (now["status"], tenth, now["reason_code"])) != self._printed:
            self._printed = line
            click.echo(summary(now) + (f" ({now['reason']})" if now["reason"] else ""))


class BarReporter(AbstractContextManager[Show]):
    """Draws a progress bar with the counters beside it."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.fields[status]}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[numbers]}"),
            console=Console(stderr=True),
            expand=True,
        )
        self._task = self._bar.add_task("", total=None, status="", numbers="")

    def __enter__(self) -> Show:
        self._bar.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _show(self, now: dict[str, Any]) -> None:
        total = now["total"] or None
        done = now["processed"] + now["cancelled"]
        status = status_label(now["status"])
        self._bar.update(
            self._task, total=total, completed=done, status=status, numbers=_numbers_text(now)
        )


def _numbers_text(now: dict[str, Any]) -> str:
    """Return the text beside the bar: percent, failures, rate and remaining time if known, and why
    the run does not move."""
    parts = [
        f"{format_decimal(now['percent'])}%",
        _("%(n)s gagal", n=format_decimal(now["failed"])),
    ]
    if now["rate_per_second"] is not None:
        parts.append(_("%(n)s siswa/detik", n=format_decimal(now["rate_per_second"])))
    if now["eta_seconds"] is not None:
        ends = now["eta_range_seconds"] or [now["eta_seconds"]]
        n = "–".join(dict.fromkeys(map(format_decimal, ends)))
        parts.append(_("%(n)s detik lagi", n=n))
    return " · ".join([*parts, *filter(None, [now["reason"]])])


def table(runs: Iterable[dict[str, Any]]) -> None:
    """Print runs as a table."""
    shown = Table(box=None)
    for title in ("#", _("Status"), _("Dimulai"), _("Oleh")):
        shown.add_column(title)
    for title in (_("Total"), _("Berhasil"), _("Gagal"), _("Dibatalkan")):
        shown.add_column(title, justify="right")
    for run in runs:
        numbers = (format_decimal(run[n]) for n in ("total", "success", "failed", "cancelled"))
        shown.add_row(
            str(run["run_id"]),
            status_label(run["status"]),
            format_datetime(datetime.fromisoformat(run["started_at"]), _("d MMM y HH.mm")),
            run["started_by"] or "–",
            *numbers,
        )
    console = Console(markup=False, emoji=False)  # a name may have brackets or colons
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    console.print(shown)
