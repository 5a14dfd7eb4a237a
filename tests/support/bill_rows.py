"""Helpers for tests that insert bills as rows."""

from collections import defaultdict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from myukm.domain.payment_api.bill_rows import Bill
from myukm.domain.siswa import bill_sets
from myukm.models import Siswa, Tagihan


def give_sets(session: Session) -> None:
    """Store each student's bill set for the bills that the test inserted, as the sync does."""
    session.flush()
    bills = defaultdict[int, list[Bill]](list)
    for bill in session.scalars(sa.select(Tagihan)):
        bills[bill.siswa_id].append((bill.period_id, "", bill.category, "", 0, 0, 0))
    for key, number in bill_sets.write(session, bills).items():
        session.execute(sa.update(Siswa).where(Siswa.id == key).values(bill_set=number))
