"""The income report as JSON and as CSV."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from myukm.db.session import snapshot
from myukm.db.types import to_iso8601, utcnow
from myukm.domain import csv_output
from myukm.domain.income import query
from myukm.domain.income.query import Flow, last_of
from myukm.domain.income.report import Month, Part, Report, Span, months_until
from myukm.domain.payment_api.bill_rows import rupiah
from myukm.i18n import campus_timezone

COLUMNS = ("unit", "category", *Flow._fields)


def as_json(found: Report) -> dict[str, Any]:
    """Return a report as JSON; amounts are decimal digits in rupiah, times ISO 8601, days and
    months the campus's."""
    return {
        "as_of": to_iso8601(found.as_of),
        "since": found.since and found.since.isoformat(),
        **{name: _span(span) for name, span in found.spans._asdict().items()},
        "months": [_month(one) for one in found.months],
        "chosen": f"{found.chosen:%Y-%m}",
        "units": [_part(one) for one in found.units],
        "categories": [_part(one) for one in found.categories],
    }


def _span(span: Span) -> dict[str, str]:
    return {"from": span.first.isoformat(), "to": span.last.isoformat(), **_flow(span.flow)}


def _flow(flow: Flow) -> dict[str, str]:
    return {name: rupiah(getattr(flow, name)) for name in (*Flow._fields, "net")}


def _month(month: Month) -> dict[str, str | None]:
    owed = {name: getattr(month, name) for name in ("owed", "overpaid")}
    ends = {name: None if one is None else rupiah(one) for name, one in owed.items()}
    return {"month": f"{month.first:%Y-%m}", **_flow(month.flow), **ends}


def _part(part: Part) -> dict[str, Any]:
    return {"key": part.key, **_flow(part.flow), "before": _flow(part.before)}


def write_csv(chosen: date | None) -> str:
    """Return the income by unit and category as CSV: per day of the month `chosen` (its first day),
    or per month of the last twelve."""
    firsts = months_until(utcnow().astimezone(campus_timezone()).date())
    first, last = (chosen, last_of(chosen)) if chosen else (firsts[0], date.max)
    columns = ("day" if chosen else "month", *COLUMNS)
    with snapshot():
        return "".join(csv_output.to_csv(columns, _rows(first, last, by_month=not chosen)))


def _rows(first: date, last: date, *, by_month: bool) -> Iterator[tuple[str, ...]]:
    for when, unit, category, flow in query.lines(first, last, by_month=by_month):
        yield when, unit, category, *map(rupiah, flow)
