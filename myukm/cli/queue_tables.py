"""The tables of `flask queue`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median, quantiles
from typing import Any

from flask_babel import format_datetime, format_decimal
from flask_babel import gettext as _
from rich import box
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from myukm.queues.failures.groups import FailureGroup
from myukm.queues.queue_ping import Figures, PingResult

COLOURS = {"broken": "red", "warning": "yellow", "ok": "green"}


def findings(report: Mapping[str, Any]) -> RenderableType:
    """Return the doctor's report: one line per finding, its cure below it."""
    if not report["findings"]:
        return Text(_("Sehat: semua antrian dilayani, semua server menjawab."), style="green")
    lines = Text()
    for finding in report["findings"]:
        lines.append(f"{_level(finding['level'])}: ", COLOURS[finding["level"]])
        lines.append(finding["message"])
        lines.append(f" ({_circumstances(finding)}) → {finding['cure']}\n")
    lines.rstrip()
    return lines


def _circumstances(finding: Mapping[str, Any]) -> str:
    """Return since when, on which machine, how many people are hit, and if action is needed."""
    since = finding["since"] and _("sejak %(time)s", time=time(finding["since"]))
    return " · ".join(filter(None, (since, finding["host"], finding["effect"])))


def entries(report: Mapping[str, Any]) -> RenderableType:
    """Return the line that says where the findings are explained."""
    codes = dict.fromkeys(finding["code"] for finding in report["findings"])
    return Text(_("Penjelasannya di docs/findings.md: %(codes)s", codes=", ".join(codes)), "dim")


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
    table.columns[0].no_wrap = True  # people copy the id into the next command
    for row in rows:
        table.add_row(
            *(escape(row[key]) for key in ("id", "job", "queue", "error")), time(row["at"])
        )
    return table


def failure_groups(found: Sequence[FailureGroup]) -> RenderableType:
    """Return a table of groups of failed jobs."""
    if not found:
        return Text(_("Tidak ada pekerjaan yang gagal."), style="green")
    columns = ("ID", _("Antrian"), _("Pekerjaan"), _("Kesalahan"), _("Jumlah"), _("Terakhir"))
    table = _table(_("Gagal"), *columns)
    for each in found:
        words = map(escape, (each.id, each.queue, each.kind.job, each.kind.error))
        table.add_row(*words, number(each.count), time(each.last_at.isoformat()))
    return table


def _table(title: str | None, *columns: str) -> Table:
    return Table(*columns, title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)


def _level(level: str) -> str:
    return str({"broken": _("RUSAK"), "warning": _("PERHATIAN")}[level])


def number(value: float | None) -> str:
    """Return a number in the reader's language, a dash for None."""
    return "–" if value is None else str(format_decimal(value))


def _milliseconds(seconds: float) -> str:
    return f"{format_decimal(round(seconds * 1000, 2))} ms"


def time(moment: str | None) -> str:
    """Return a moment (ISO 8601) in the campus's time zone, a dash for None."""
    if not moment:
        return "–"
    return str(format_datetime(datetime.fromisoformat(moment), _("d MMM HH.mm.ss")))
