"""The tables of `flask queue`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median, quantiles
from typing import Any

from flask_babel import format_datetime, format_decimal
from flask_babel import gettext as _
from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from myukm.queues.queue_ping import Figures, PingResult
from myukm.queues.state_labels import state_label

COLOURS = {"broken": "red", "warning": "yellow", "ok": "green"}


def health(figures: Mapping[str, Any]) -> RenderableType:
    """Return tables of queues, workers and latest jobs from the figures of `stats.health()`."""
    return Group(
        _queues(figures["queues"]),
        _workers(figures["workers"]),
        _jobs(figures["latest_jobs"]),
        failures(figures["latest_failures"]),
    )


def findings(report: Mapping[str, Any]) -> RenderableType:
    """Return the doctor's report: one line per finding, its cure below it."""
    if not report["findings"]:
        return Text(_("Sehat: semua antrian dilayani, semua server menjawab."), style="green")
    lines = Text()
    for finding in report["findings"]:
        lines.append(f"{_level(finding['level'])}: ", COLOURS[finding["level"]])
        lines.append(finding["message"])
        if finding["since"]:
            lines.append(" " + _("(sejak %(time)s)", time=_time(finding["since"])))
        lines.append(f" → {finding['cure']}\n")
    lines.rstrip()
    return lines


def answers(found: Sequence[PingResult]) -> RenderableType:
    """Return one row per queue: the worker that answered the ping, and after how long."""
    table = _table(None, _("Antrian"), _("Jawaban"), _("Setelah"))
    for answer in found:
        who = answer.worker or Text(_("tidak ada jawaban"), style="red")
        table.add_row(answer.queue, who, _milliseconds(answer.seconds))
    return table


def figures(queue: str, measured: Figures) -> RenderableType:
    """Return the durations that `queue bench` measured."""
    count, speed = len(measured.run), format_decimal(round(measured.jobs_per_second, 1))
    title = _(
        "%(count)d pekerjaan di %(queue)s: %(speed)s pekerjaan/detik",
        count=count,
        queue=queue,
        speed=speed,
    )
    table = _table(title, "", "min", "p50", "p99", "max")
    rows = (
        (_("antri"), measured.dispatch),
        (_("tunggu"), measured.wait),
        (_("jalan"), measured.run),
    )
    for label, seconds in rows:
        p99 = quantiles(seconds, n=100)[98] if len(seconds) > 1 else seconds[0]
        shown = (min(seconds), median(seconds), min(p99, max(seconds)), max(seconds))
        table.add_row(label, *map(_milliseconds, shown))
    return table


def failures(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Return a table of failed jobs."""
    if not rows:
        return Text(_("Tidak ada pekerjaan yang gagal."), style="green")
    table = _table(_("Gagal"), "ID", _("Pekerjaan"), _("Antrian"), _("Kesalahan"), _("Kapan"))
    for row in rows:
        table.add_row(
            *(escape(row[key]) for key in ("id", "job", "queue", "error")), _time(row["at"])
        )
    return table


def _queues(rows: Sequence[Mapping[str, Any]]) -> Table:
    columns = {
        "waiting": _("Menunggu"),
        "oldest_seconds": _("Tertua (s)"),
        "running": _("Berjalan"),
        "finished_hour": _("Selesai 1 jam"),
        "failed_hour": _("Gagal 1 jam"),
        "finished_today": _("Selesai hari ini"),
        "failed_today": _("Gagal hari ini"),
        "rate_per_minute": _("Per menit"),
        "workers": _("Worker"),
    }
    table = _table(None, _("Antrian"))
    for label in columns.values():
        table.add_column(label, justify="right")
    for row in rows:
        stuck = row["waiting"] and not row["workers"]
        values = (_number(row[key]) for key in columns)
        table.add_row(row["name"], *values, style="red" if stuck else None)
    return table


def _workers(rows: Sequence[Mapping[str, Any]]) -> RenderableType:
    if not rows:
        return Text(_("Tidak ada worker."), style="red")
    table = _table(None, _("Worker"), _("Antrian"), _("Keadaan"), _("Pekerjaan"), _("Denyut (s)"))
    for row in rows:
        table.add_row(
            escape(row["name"]),
            ", ".join(row["queues"]),
            escape(state_label(row["state"])),
            escape(row["job"] or "–"),
            _number(row["heartbeat_seconds_ago"]),
            style="red" if row["state"] == "dead" else None,
        )
    return table


def _jobs(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table(
        _("Terakhir"), _("Pekerjaan"), _("Antrian"), _("Keadaan"), _("Lama (s)"), _("Kapan")
    )
    for row in rows:
        words = map(escape, (row["job"], row["queue"], state_label(row["status"])))
        table.add_row(*words, _number(row["seconds"]), _time(row["at"]))
    return table


def _table(title: str | None, *columns: str) -> Table:
    return Table(*columns, title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)


def _level(level: str) -> str:
    return str({"broken": _("RUSAK"), "warning": _("PERHATIAN")}[level])


def _number(value: float | None) -> str:
    return "–" if value is None else str(format_decimal(value))


def _milliseconds(seconds: float) -> str:
    return f"{format_decimal(round(seconds * 1000, 2))} ms"


def _time(moment: str | None) -> str:
    if not moment:
        return "–"
    return str(format_datetime(datetime.fromisoformat(moment), _("d MMM HH.mm.ss")))
