"""Search of students, with filters and paging."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import defer

from myukm.db.types import to_iso8601
from myukm.domain.paging import PER_PAGE, Page, position
from myukm.domain.siswa.fields import COLUMNS
from myukm.errors import Invalid, NotFound
from myukm.extensions import db
from myukm.models import Siswa
from myukm.models.siswa import Verdict, fold

MAX_WORDS = 8
AMOUNTS = ("saldo", "tunggakan", "lebih_bayar")
AS_JSON = (*COLUMNS, "active", *AMOUNTS, "lunas", "status", "tidak_cocok")
FILTERS: dict[str, ColumnElement[bool]] = {
    "lunas": Siswa.status == Verdict.LUNAS,
    "belum": Siswa.status == Verdict.TUNGGAKAN,
    "lebih_bayar": Siswa.lebih_bayar > 0,
    "tanpa_tagihan": Siswa.status == Verdict.TANPA_TAGIHAN,
    "belum_sinkron": Siswa.status == Verdict.BELUM_SINKRON,
    "tidak_cocok": Siswa.tidak_cocok.is_(True),
    "aktif": Siswa.active.is_(True),
    "nonaktif": Siswa.active.is_(False),
}


def search(
    q: str = "", filters: Collection[str] = (), page: int = 1, per_page: int = PER_PAGE
) -> Page[Siswa]:
    """Return page number `page` (at most the last) of the students that match.

    Every word of `q` must occur in name, id, unit or class, and all `filters` (keys of `FILTERS`)
    must hold. Raises `Invalid` for an unknown filter.
    """
    found = matching(q, filters)
    page, pages, total = position(found, page, per_page)
    return Page(rows(found, page, per_page, total), page, pages, total)


def matching(q: str, filters: Collection[str]) -> Select[Any]:
    """Return the query for the ids of the students that match. Raises `Invalid`."""
    if not FILTERS.keys() >= set(filters):
        text = _("Saringan harus salah satu dari: %(filters)s.", filters=", ".join(FILTERS))
        raise Invalid(text, code="bad_filter")
    query = select(Siswa.id).where(*(FILTERS[name] for name in filters))
    for word in fold(q).split()[:MAX_WORDS]:
        query = query.where(Siswa.search_text.contains(word, autoescape=True))
    return query


def rows(found: Select[Any], page: int, per_page: int, total: int) -> Sequence[Siswa]:
    """Return the students of one page, without their payments.

    The ids are read from an index alone, counted from the nearer end; then only 50 rows are read.
    """
    start, stop = (page - 1) * per_page, min(page * per_page, total)
    near_end = start > total // 2
    order = (
        (Siswa.search_text.desc(), Siswa.id.desc()) if near_end else (Siswa.search_text, Siswa.id)
    )
    skip = total - stop if near_end else start
    ids = db.session.scalars(found.order_by(*order).offset(skip).limit(stop - start)).all()
    query = select(Siswa).where(Siswa.id.in_(ids)).order_by(Siswa.search_text, Siswa.id)
    return db.session.scalars(query.options(defer(Siswa.pembayaran, raiseload=True))).all()


def find(idperson: str) -> Siswa:
    """Return a student with their payments. Raises `NotFound`."""
    query = select(Siswa).where(Siswa.idperson == idperson)
    siswa = db.session.scalar(query) if idperson.isprintable() else None
    if siswa is None:
        raise NotFound(_("Tidak ada siswa dengan ID %(id)s.", id=idperson), code="no_such_student")
    return siswa


def as_json(student: Siswa) -> dict[str, Any]:
    """Return a student as JSON, without the payments; amounts are decimal strings."""
    fields = {name: getattr(student, name) for name in AS_JSON}
    amounts = {name: _decimal(fields[name]) for name in AMOUNTS}
    return fields | amounts | {"synced_at": to_iso8601(student.synced_at)}


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
