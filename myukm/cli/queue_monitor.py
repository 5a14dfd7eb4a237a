"""The screen of `flask queue monitor`: findings first, then each queue in two lines.

Lines are wrapped, never cut, because a part of an id or of an error is of no use.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from myukm.cli.queue_tables import findings, number, time
from myukm.queues.state_labels import state_label

BARS = "▁▂▃▄▅▆▇█"
SPARKLINE_LENGTH = 20
MAX_FINDINGS = 3
INDENT = 2
NUMBERS = (
    *("waiting", "oldest_seconds", "running", "rate_per_minute", "workers"),
    *("finished_hour", "failed_hour", "finished_today", "failed_today"),
)


def screen(
    health: Mapping[str, Any], report: Mapping[str, Any], history: Mapping[str, Any] | None
) -> RenderableType:
    """Return the screen from `stats.health()`, the doctor's report and the history of the last
    hour (None while the database is unreachable). Without Valkey only the findings are known."""
    if not health["valkey"]:
        return Group(*_findings(report))
    return Group(
        *_findings(report),
        "",
        *(line for row in health["queues"] for line in _queue(row, history)),
        *_section(_("Gagal"), _failures(health["latest_failures"])),
        *_section(_("Worker"), _workers(health["workers"])),
        *_section(_("Terakhir"), _jobs(health["latest_jobs"])),
    )


def _findings(report: Mapping[str, Any]) -> Iterator[RenderableType]:
    shown = report["findings"][:MAX_FINDINGS]
    yield findings({**report, "findings": shown})
    if more := len(report["findings"]) - len(shown):
        yield Text(_("… dan %(n)d lagi: ./run queue doctor", n=more), style="yellow")


def _queue(row: Mapping[str, Any], history: Mapping[str, Any] | None) -> Iterator[RenderableType]:
    values = {key: number(row[key]) for key in NUMBERS}
    stuck = row["waiting"] and not row["workers"] and not row["paused"]
    name = Text(row["name"], style="bold")
    if row["paused"]:
        name.append(" (" + _("dijeda") + ")", "yellow")
    now = _(
        "menunggu %(waiting)s · tertua %(oldest_seconds)s s · berjalan %(running)s · "
        "%(rate_per_minute)s/menit · worker %(workers)s",
        **values,
    )
    yield Text("  ").join([name, Text(now, style="red" if stuck else "")])
    ended = _(
        "1 jam: %(finished_hour)s selesai, %(failed_hour)s gagal · "
        "hari ini: %(finished_today)s, %(failed_today)s",
        **values,
    )
    yield _indented(Text(f"{_sparkline_of(row['name'], history)}  {ended}"))


def _sparkline_of(name: str, history: Mapping[str, Any] | None) -> str:
    if history is None:
        return " " * SPARKLINE_LENGTH
    begin, end = (datetime.fromisoformat(history[key]) for key in ("from", "to"))
    moments = (datetime.fromisoformat(at) for at in history["at"])
    shares = ((moment - begin) / (end - begin) for moment in moments)
    return sparkline(zip(shares, history["queues"][name]["waiting"], strict=True))


def sparkline(points: Iterable[tuple[float, int]]) -> str:
    """Return a line of `SPARKLINE_LENGTH` bars: the highest value in each part of the time span.

    A point is its position in the span (0 to 1) and its value. A part without a point is blank.
    """
    highest: dict[int, int] = {}
    for share, value in points:
        part = min(SPARKLINE_LENGTH - 1, int(share * SPARKLINE_LENGTH))
        highest[part] = max(value, highest.get(part, 0))
    top = max(1, *highest.values()) if highest else 1
    bars = {part: BARS[-(-value * (len(BARS) - 1) // top)] for part, value in highest.items()}
    return "".join(bars.get(part, " ") for part in range(SPARKLINE_LENGTH))


def _failures(rows: Sequence[Mapping[str, Any]]) -> Iterator[RenderableType]:
    for row in rows:
        yield Text(f"{time(row['at'])}  {row['queue']}  {row['job']}")
        yield _indented(Text(f"{row['id']}  ").append(row["error"], "red"))
    if not rows:
        yield Text(_("Tidak ada pekerjaan yang gagal."), style="green")


def _workers(rows: Sequence[Mapping[str, Any]]) -> Iterator[Text]:
    for row in rows:
        parts = [state_label(row["state"]), row["job"], f"{number(row['heartbeat_seconds_ago'])} s"]
        words = " · ".join(filter(None, parts))
        yield Text(f"{row['name']}  {words}", style="red" if row["state"] == "dead" else "")
    if not rows:
        yield Text(_("Tidak ada worker."), style="red")


def _jobs(rows: Sequence[Mapping[str, Any]]) -> Iterator[Text]:
    for row in rows:
        words = [time(row["at"]), row["queue"], row["job"], state_label(row["status"])]
        took = "" if row["seconds"] is None else f"  {number(row['seconds'])} s"
        yield Text("  ".join(words) + took)


def _section(title: str, lines: Iterable[RenderableType]) -> list[RenderableType]:
    return ["", Text(title, style="bold"), *lines]


def _indented(words: Text) -> Padding:
    return Padding(words, (0, 0, 0, INDENT))
