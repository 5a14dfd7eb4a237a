"""The journal: how each transaction changes the amounts owed and paid, by unit and category.

It is written in the transaction that writes the bills, and its sums always equal those of the bills
by unit and category. Therefore it also contains opening balances, and the balances of students who
move to another unit.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import delete, func, insert, select, tuple_
from sqlalchemy.orm import Session

from myukm.db.session import in_literals
from myukm.db.types import utcnow
from myukm.domain.income.movements import Amounts, Name, Sums, between
from myukm.domain.payment_api.bill_rows import Bill
from myukm.i18n import campus_timezone
from myukm.models import PaymentJournal, Siswa, Tagihan, VanishedBill
from myukm.models.tagihan import OVERPAID, OWED

KEY_COLUMNS = ("period_id", "category", "item", "number")
DELETED_AT_ONCE = 500


class Origin(NamedTuple):
    """A student before an answer is written: the unit, and whether an answer was stored before
    (`known`)."""

    unit: str
    known: bool


def origins(session: Session, keys: Iterable[int]) -> dict[int, Origin]:
    """Return the origins of students, by row id; to be called before their payments are written."""
    has_answer = Siswa.pembayaran.is_not(None)
    query = select(Siswa.id, Siswa.unit_formal, has_answer).where(in_literals(Siswa.id, keys))
    return {key: Origin(unit, bool(known)) for key, unit, known in session.execute(query)}


def record(
    session: Session,
    students: Mapping[int, Origin],
    before: Mapping[int, Sequence[Bill]],
    after: Mapping[int, Sequence[Bill]],
) -> None:
    """Write to the journal the differences between the bills `before` and `after`, both by the
    students' row ids.

    The caller has locked the students.
    """
    sums: dict[str, Sums] = defaultdict(Sums)
    known_keys = [key for key in after if students[key].known]
    vanished_earlier = _vanished_earlier(session, known_keys)
    gone: list[dict[str, Any]] = []
    for key, bills in after.items():
        of_unit = sums[students[key].unit]
        if not students[key].known:
            of_unit.add(bills)
            continue
        vanished = between(before.get(key, ()), bills, vanished_earlier.get(key, {}), of_unit)
        gone += (_row(key, name, paid) for name, paid in vanished.gone.items())
        _delete_returned(session, key, vanished.back)
    if gone:
        session.execute(insert(VanishedBill), gone)
    _append(session, sums)


@contextmanager
def moving(session: Session, keys: Sequence[int]) -> Iterator[None]:
    """Run the block, which moves these students (by row id) to other units, and move their balances
    in the journal from the old units to the new ones.

    The caller has locked the students.
    """
    sums: dict[str, Sums] = defaultdict(Sums)
    _add_balances(session, keys, sums, -1)
    yield
    _add_balances(session, keys, sums)
    _append(session, sums)


def today() -> str:
    """Return today's date in the campus's time zone, as 2026-11-30."""
    return utcnow().astimezone(campus_timezone()).date().isoformat()


def _append(session: Session, sums: Mapping[str, Sums]) -> None:
    day = today()
    rows = [
        {"day": day, "unit": unit, "category": category, **Amounts(*amounts)._asdict()}
        for unit, of_unit in sums.items()
        for category, amounts in of_unit.items()
        if any(amounts)
    ]
    if rows:
        session.execute(insert(PaymentJournal.__table__), rows)  # type: ignore[arg-type]


def _add_balances(
    session: Session, keys: Sequence[int], sums: Mapping[str, Sums], sign: int = 1
) -> None:
    """Add what is owed, overpaid and paid by the bills of students, `sign` times, by unit."""
    if not keys:
        return
    query = (
        select(
            Siswa.unit_formal,
            Tagihan.category,
            func.sum(OWED),
            func.sum(OVERPAID),
            func.sum(Tagihan.paid),
        )
        .join(Tagihan, Tagihan.siswa_id == Siswa.id)
        .where(in_literals(Siswa.id, keys))
        .group_by(Siswa.unit_formal, Tagihan.category)
    )
    for unit, category, *amounts in session.execute(query):
        row = sums[unit][category]
        for n, amount in enumerate(amounts):
            row[n] += sign * int(amount)


def _vanished_earlier(session: Session, keys: Sequence[int]) -> dict[int, dict[Name, int]]:
    found: dict[int, dict[Name, int]] = defaultdict(dict)
    if keys:
        columns = [getattr(VanishedBill, name) for name in (*KEY_COLUMNS, "paid")]
        query = select(VanishedBill.siswa_id, *columns)
        query = query.where(in_literals(VanishedBill.siswa_id, keys))
        for key, period, category, item, number, paid in session.execute(query):
            found[key][period, category, item, number] = paid
    return found


def _row(key: int, name: Name, paid: int) -> dict[str, Any]:
    return {"siswa_id": key, **dict(zip(KEY_COLUMNS, name, strict=True)), "paid": paid}


def _delete_returned(session: Session, key: int, names: Sequence[Name]) -> None:
    """Delete the rows of vanished bills that came back, in portions, because databases limit the
    parameters of a statement."""
    columns = tuple_(*(getattr(VanishedBill, column) for column in KEY_COLUMNS))
    of_student = delete(VanishedBill).where(VanishedBill.siswa_id == key)
    for first in range(0, len(names), DELETED_AT_ONCE):
        portion = names[first : first + DELETED_AT_ONCE]
        session.execute(of_student.where(columns.in_(portion)))
