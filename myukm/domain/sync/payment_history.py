"""The history of payment changes: written with the data itself, read by student and by run."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Row, Select, and_, insert, or_, select
from sqlalchemy.orm import Session

from myukm.db.session import delete_some, in_literals, transaction
from myukm.db.types import to_iso8601, utcnow
from myukm.domain import csv_output
from myukm.domain.paging import Page, paginate_rows
from myukm.domain.payment_api.parser import Payments, format_amount
from myukm.domain.payment_api.work_item import Item
from myukm.domain.sync.diff import Change, bounded, compare
from myukm.extensions import db
from myukm.models import PaymentChange, Siswa
from myukm.models.siswa import fold

CHUNK = 1000
COLUMNS = ("idperson", "nama", "period_id", "field", "old", "new", "at")


def stored_payments(session: Session, keys: Sequence[int]) -> Sequence[Row[Any]]:
    """Return the stored payments of students, given by their row ids."""
    query = select(Siswa.id, Siswa.pembayaran, Siswa.saldo).where(in_literals(Siswa.id, keys))
    return session.execute(query).all() if keys else ()


def record(
    session: Session, run_id: int | None, changed: Iterable[Item], *, dry_run: bool = False
) -> None:
    """Insert the differences between old and new data of these items."""
    about = {"run_id": run_id, "dry_run": dry_run, "at": utcnow()}
    rows = [
        {**about, **change._asdict(), "idperson": item.idperson}
        for item in changed
        if item.new
        for change in of_answer(item.old, item.new)
    ]
    if rows:
        session.execute(insert(PaymentChange.__table__), rows)  # type: ignore[arg-type]


def of_answer(old: Row[Any] | None, new: Payments) -> list[Change]:
    """Return a student's changes; `old` is None at the first sync.

    "first": the first answer, with what is owed. "account": only a field that is not stored has
    changed.
    """
    if old is None:
        return [Change("", "first", None, format_amount(new.owed.tunggakan))]
    found = compare(old.pembayaran, new.periods)
    if old.saldo != new.saldo:
        amounts = (None if sum_ is None else format_amount(sum_) for sum_ in (old.saldo, new.saldo))
        found.insert(0, Change("", "saldo", *amounts))
    return bounded(found) or [Change("", "account", None, None)]


def of_student(idperson: str, page: int = 1) -> Page[Row[Any]]:
    """Return a page of a student's changes, newest first."""
    query = select(PaymentChange.__table__).where(
        PaymentChange.idperson == idperson, ~PaymentChange.dry_run
    )
    return paginate_rows(query.order_by(PaymentChange.id.desc()), page)


def of_run(run_id: int, q: str = "", page: int = 1) -> Page[Row[Any]]:
    """Return a page of a run's changes (or of what a dry run would change), by student.

    Each of the first eight words of `q` must occur in the student's search text or id, in the
    changed field or in its period.
    """
    return paginate_rows(_of_run(run_id, q), page)


def csv_of_run(run_id: int, q: str = "") -> Iterator[str]:
    """Return a run's changes as CSV lines."""
    return csv_output.to_csv(COLUMNS, _all_of_run(run_id, q))


def as_json(change: Row[Any]) -> dict[str, Any]:
    """Return a row of `of_run` as JSON; amounts are decimal strings."""
    return {name: getattr(change, name) for name in COLUMNS} | {"at": to_iso8601(change.at)}


def own_as_json(change: Row[Any]) -> dict[str, Any]:
    """Return a row of `of_student` as JSON, for the student."""
    names = ("period_id", "field", "old", "new")
    return {name: getattr(change, name) for name in names} | {"at": to_iso8601(change.at)}


def prune() -> bool:
    """Delete the next rows older than `HISTORY_KEEP_DAYS`; return whether more may be left."""
    oldest = utcnow() - timedelta(days=current_app.config["HISTORY_KEEP_DAYS"])
    with transaction() as session:
        return delete_some(session, PaymentChange, PaymentChange.at < oldest, CHUNK) == CHUNK


def _of_run(run_id: int, q: str) -> Select[Any]:
    query = (
        select(PaymentChange.__table__, Siswa.nama)
        .outerjoin(Siswa, Siswa.idperson == PaymentChange.idperson)
        .where(PaymentChange.run_id == run_id)
        .order_by(PaymentChange.idperson, PaymentChange.id)
    )
    for word in q.split()[:8]:  # a word of signs alone is searched as it is, because "" is in all
        query = query.where(
            or_(
                Siswa.search_text.contains(fold(word) or word, autoescape=True),
                PaymentChange.idperson.contains(word, autoescape=True),
                PaymentChange.field.icontains(word, autoescape=True),
                PaymentChange.period_id.contains(word.replace("/", ""), autoescape=True),
            )
        )
    return query


def _all_of_run(run_id: int, q: str) -> Iterator[tuple[Any, ...]]:
    """Yield all rows, read in portions, because a long history does not fit into memory."""
    query, last = _of_run(run_id, q).limit(CHUNK), None
    while True:
        rows = db.session.execute(query if last is None else query.where(_after(last))).all()
        db.session.rollback()  # databases end a transaction that is idle during a slow download
        for row in rows:
            yield (*(getattr(row, name) for name in COLUMNS[:-1]), to_iso8601(row.at))
        if len(rows) < CHUNK:
            return
        last = rows[-1]


def _after(row: Row[Any]) -> Any:
    same = and_(PaymentChange.idperson == row.idperson, PaymentChange.id > row.id)
    return or_(PaymentChange.idperson > row.idperson, same)
