"""A student's bills for display: by period, with the figures that disagree."""

from typing import Any, NamedTuple

from myukm.domain.payment_api import parser
from myukm.domain.payment_api.body import InvalidBody
from myukm.domain.payment_api.owed import CountedPeriod, Disagreement, count_period
from myukm.domain.payment_api.plain_form import Amount, Period
from myukm.models import Siswa


class Bills(NamedTuple):
    """The periods, newest first, with their amounts. `readable` is False for payments stored by a
    version whose format this one does not know."""

    periods: list[tuple[Period[Amount], CountedPeriod]]
    readable: bool

    @property
    def disagreements(self) -> list[Disagreement]:
        return [found for _period, counted in self.periods for found in counted.disagreements]


def of(student: Siswa) -> Bills:
    """Return the bills of a student, empty before the first sync."""
    try:
        periods = parser.plain(student.pembayaran or [])
    except InvalidBody:
        return Bills([], readable=False)
    counted = [(period, count_period(period)) for period in reversed(periods)]
    return Bills(counted, readable=True)


def as_json(found: Disagreement) -> dict[str, Any]:
    """Return a disagreement as JSON: amounts as decimal strings, flags as booleans."""
    is_flag = found.field == "fully_paid"
    return {
        "where": list(found.where),
        "field": found.field,
        "stated": bool(found.stated) if is_flag else f"{found.stated:.2f}",
        "counted": f"{found.counted:.2f}",
    }
