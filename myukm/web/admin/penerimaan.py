"""Payments received (`penerimaan`), for admins and treasurers."""

from datetime import date
from io import BytesIO
from typing import Any, NamedTuple

from babel.numbers import format_compact_decimal
from flask import Blueprint, Response, jsonify, render_template, request, send_file
from flask_babel import format_date, get_locale
from flask_babel import gettext as _

from myukm.domain.income import output
from myukm.domain.income.query import Flow, previous
from myukm.domain.income.report import Part, Report, parse_month, report
from myukm.web.http.access import TREASURERS, roles, wants_json

bp = Blueprint("admin_penerimaan", __name__, url_prefix="/admin")


class Bar(NamedTuple):
    """A month of the chart: its short name and amount.

    In percent of the chart's height: `up` and `down` are heights, `top` and `zero` (the zero line)
    distances from the top.
    """

    name: str
    amount: str
    top: float
    up: float
    zero: float
    down: float


@bp.get("/penerimaan")
@roles(*TREASURERS)
def index() -> Any:
    """Show the payments received per month, and one month by unit and category."""
    found = report(parse_month(request.args.get("month", "")))
    if wants_json():
        return jsonify(output.as_json(found))
    return render_template(
        "admin/penerimaan/index.html",
        report=found,
        bars=bars(found),
        highest=max(one.flow.received for one in found.months),
        parts=[
            (_("Unit"), _("Per unit"), "unit", with_shares(found.units)),
            (_("Jenis tagihan"), _("Per jenis tagihan"), "category", with_shares(found.categories)),
        ],
        chosen=chosen_flow(found),
        before=previous(found.chosen),
        month_name=month_name,
    )


@bp.get("/penerimaan.csv")
@roles(*TREASURERS)
def csv() -> Response:
    """Return the payments received by day, unit and category as CSV."""
    month = parse_month(request.args.get("month", ""))
    text = output.write_csv(month)
    name = f"penerimaan-{month:%Y-%m}.csv" if month else "penerimaan.csv"
    file = BytesIO(text.encode())
    return send_file(file, "text/csv", as_attachment=True, download_name=name)


def bars(found: Report) -> list[Bar]:
    """Return the bars of the months: received amounts above the zero line, corrections below it,
    both on one scale."""
    above = max(one.flow.received for one in found.months)
    below = max(one.flow.corrected for one in found.months)
    whole = (above + below) or 1
    zero = round(100 * above / whole, 2)
    made = []
    for month in found.months:
        up = round(100 * month.flow.received / whole, 2)
        down = round(100 * month.flow.corrected / whole, 2)
        name = str(format_date(month.first, "MMM"))
        label = compact(month.flow.received) if month.flow.received else "–"
        made.append(Bar(name, label, round(zero - up, 2), up, zero, down))
    return made


def chosen_flow(found: Report) -> Flow:
    """Return the payments received in the chosen month, over all units."""
    flows = [part.flow for part in found.units]
    return Flow(*map(sum, zip(*flows, strict=True))) if flows else Flow()


def with_shares(parts: list[Part]) -> list[tuple[Part, float]]:
    """Return the parts, each with what it received in percent of the largest part."""
    most = max((part.flow.received for part in parts), default=0) or 1
    return [(part, round(100 * part.flow.received / most, 2)) for part in parts]


def compact(amount: int) -> str:
    """Return an amount in sen in few letters: 12,5 jt."""
    return str(format_compact_decimal(amount / 100, locale=get_locale(), fraction_digits=1))


def month_name(first: date, *, short: bool = False) -> str:
    """Return a month as November 2026, or as Nov 2026."""
    return str(format_date(first, "MMM y" if short else "MMMM y"))
