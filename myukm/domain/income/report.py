"""What came in: today, this week, this month, by month for a year, by unit and category."""

import re
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

from flask_babel import gettext as _

from myukm.db.session import snapshot
from myukm.db.types import utcnow
from myukm.domain.income import query
from myukm.domain.income.query import ONE_DAY, Flow, Places, last_of, previous
from myukm.errors import Invalid
from myukm.i18n import campus_timezone

MONTHS = 12
MONTH = re.compile(r"2\d{3}-(0[1-9]|1[0-2])", re.ASCII)


class Span(NamedTuple):
    """Days from `first` to `last`, and what came in on them."""

    first: date
    last: date
    flow: Flow


class Spans(NamedTuple):
    """Today, this week and this month so far, each with the complete period before it;
    `month_so_far` is the month before up to today's day of the month."""

    today: Span
    day_before: Span
    week: Span
    week_before: Span
    month: Span
    month_before: Span
    month_so_far: Span


class Month(NamedTuple):
    """A month (its first day) with what came in, and the amounts owed and overpaid at its end, or
    now for this month; both are None before history begins."""

    first: date
    flow: Flow
    owed: int | None
    overpaid: int | None


class Part(NamedTuple):
    """A unit or a category: what came in during the chosen month and the month before it."""

    key: str
    flow: Flow
    before: Flow


class Report(NamedTuple):
    """`since` is the first day of history, if there is any. `months` are the last twelve, oldest
    first; `chosen` is the month of `units` and `categories`."""

    as_of: datetime
    since: date | None
    spans: Spans
    months: list[Month]
    chosen: date
    units: list[Part]
    categories: list[Part]

    @property
    def anything(self) -> bool:
        """Whether there is anything to show."""
        flows = [one.flow for one in self.months] + [one.flow for one in self.spans]
        return any(map(any, flows))


def parse_month(text: str) -> date | None:
    """Return the first day of a month such as 2026-11, None for an empty text. Raises `Invalid`."""
    if not text:
        return None
    if not MONTH.fullmatch(text):
        raise Invalid(_("month harus bulan seperti 2026-11."), code="bad_month")
    return date.fromisoformat(f"{text}-01")


def report(chosen: date | None = None) -> Report:
    """Return the report with the units and categories of the month `chosen` (its first day), by
    default this month."""
    with snapshot():
        as_of = utcnow()
        today = as_of.astimezone(campus_timezone()).date()
        firsts = months_until(today)
        chosen = chosen or firsts[-1]
        by_day = query.by_day(previous(firsts[0]))
        months = _months(firsts, today, by_day)
        places = query.of_places(chosen)
        since = query.since()
    units, categories = (_of(places, index, chosen) for index in (0, 1))
    return Report(as_of, since, _spans(today, by_day), months, chosen, units, categories)


def months_until(today: date) -> list[date]:
    """Return the first days of the last twelve months, oldest first."""
    firsts = [today.replace(day=1)]
    while len(firsts) < MONTHS:
        firsts.append(previous(firsts[-1]))
    return firsts[::-1]


def _spans(today: date, by_day: Mapping[date, Flow]) -> Spans:
    monday, first = today - today.weekday() * ONE_DAY, today.replace(day=1)
    before = previous(first)
    bounds = (
        (today, today),
        (today - ONE_DAY, today - ONE_DAY),
        (monday, today),
        (monday - 7 * ONE_DAY, monday - ONE_DAY),
        (first, today),
        (before, first - ONE_DAY),
        (before, min(before + (today.day - 1) * ONE_DAY, first - ONE_DAY)),
    )
    return Spans(*(Span(*two, _sum(by_day, *two)) for two in bounds))


def _sum(by_day: Mapping[date, Flow], first: date, last: date) -> Flow:
    found = [flow for day, flow in by_day.items() if first <= day <= last]
    return Flow(*(sum(column) for column in zip(*found, strict=True))) if found else Flow()


def _months(firsts: list[date], today: date, by_day: Mapping[date, Flow]) -> list[Month]:
    lasts = [last_of(first) for first in firsts[:-1]]
    owed = query.balances(lasts) | {today: query.balance_now()}
    nothing = None, None
    return [
        Month(first, _sum(by_day, first, last), *owed.get(last, nothing))
        for first, last in zip(firsts, [*lasts, today], strict=True)
    ]


def _of(places: Places, index: int, chosen: date) -> list[Part]:
    """Return the units (`index` 0) or categories (`index` 1), sorted by what they received, largest
    first."""
    sums: dict[tuple[str, bool], list[Flow]] = defaultdict(list)
    for where, flow in places.items():
        sums[str(where[index]), where[2] == chosen].append(flow)
    total = {at: Flow(*map(sum, zip(*flows, strict=True))) for at, flows in sums.items()}
    keys = {key for key, _now in total}
    parts = [Part(k, total.get((k, True), Flow()), total.get((k, False), Flow())) for k in keys]
    nonzero = [part for part in parts if any(part.flow) or any(part.before)]
    return sorted(nonzero, key=lambda p: (-p.flow.received, -p.before.received, p.key))
