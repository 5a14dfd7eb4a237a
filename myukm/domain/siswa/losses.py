"""Losses: a student's paid amount has become less, or a bill of the student has vanished.

Both are probably faults of the payment API: a payment is not taken back, and a bill is not deleted.
Answers with large losses are quarantined (see `domain.sync.anomaly_guard`); the losses here came
with answers that were written. A loss is deleted when the student's bills change again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from myukm.db.session import in_literals
from myukm.db.types import utcnow
from myukm.domain.payment_api.bill_rows import Bill
from myukm.models import PaymentLoss

# Indexes into a `Bill`.
BILLED: Final = 4
PAID: Final = 5


def record(
    session: Session, before: Mapping[int, Sequence[Bill]], after: Mapping[int, Sequence[Bill]]
) -> None:
    """Write the losses between the bills `before` and `after`, both by the students' row ids;
    `before` lacks students without bills."""
    changed = [key for key in after if list(before.get(key, ())) != list(after[key])]
    session.execute(delete(PaymentLoss).where(in_literals(PaymentLoss.siswa_id, changed)))
    now = utcnow()
    found = ((key, _between(before[key], after[key])) for key in changed if key in before)
    if rows := [{"siswa_id": key, "at": now, **loss} for key, loss in found if loss]:
        session.execute(insert(PaymentLoss), rows)


def _between(before: Sequence[Bill], after: Sequence[Bill]) -> dict[str, Any] | None:
    left = Counter(map(_name, after))
    vanished = []
    for bill in before:
        left[_name(bill)] -= 1
        if left[_name(bill)] < 0:  # several bills may have one name
            vanished.append(bill)
    paid, paid_now = sum(bill[PAID] for bill in before), sum(bill[PAID] for bill in after)
    if paid_now >= paid and not vanished:
        return None
    return {
        "paid_before": paid,
        "paid_after": paid_now,
        "vanished": len(vanished),
        "vanished_billed": sum(bill[BILLED] for bill in vanished),
        "vanished_name": _joined_name(vanished[0]) if vanished else "",
    }


def _joined_name(bill: Bill) -> str:
    return " · ".join(part for part in _name(bill) if part)


def _name(bill: Bill) -> tuple[str, str, str]:
    period, _kelas, category, item = bill[:4]
    return period, category, item
