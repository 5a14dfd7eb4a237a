"""Finding students: one by id, many by words and filters."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select

from myukm.db.types import to_iso8601
from myukm.domain.paging import PER_PAGE, Page
from myukm.domain.siswa.fields import COLUMNS
from myukm.domain.siswa.filters import parse
from myukm.domain.siswa.listing import page_of
from myukm.errors import NotFound
from myukm.extensions import db
from myukm.models import Siswa

AMOUNTS = ("saldo", "tunggakan", "lebih_bayar")
AS_JSON = (*COLUMNS, "active", *AMOUNTS, "lunas", "status", "tidak_cocok")


def search(
    q: str = "", filters: Collection[str] = (), page: int = 1, per_page: int = PER_PAGE
) -> Page[Siswa]:
    """Return page number `page` (at most the last) of the students that match, by name.

    Every word of `q` must occur in `search_text`, and all `filters` (of `FILTER_VALUES`, such as
    "lunas") must hold. Raises `Invalid` for an unknown filter.
    """
    found = page_of(parse({"q": [q], "filter": tuple(filters)}), page, per_page)
    students = [line.student for line in found.items]
    return Page(students, found.page, found.pages, found.total)


def find(idperson: str) -> Siswa:
    """Return a student with their payments. Raises `NotFound`."""
    query = select(Siswa).where(Siswa.idperson == idperson)
    # No id has other characters, and PostgreSQL refuses a query with a NUL.
    siswa = db.session.scalar(query) if idperson.isprintable() else None
    if siswa is None:
        raise NotFound(_("Tidak ada siswa dengan ID %(id)s.", id=idperson), code="no_such_student")
    return siswa


def count_unless_synced() -> int:
    """Return the number of students if none was ever synced, else 0."""
    synced = select(Siswa.id).where(Siswa.synced_at.is_not(None)).limit(1)
    if db.session.scalar(synced) is not None:
        return 0
    return db.session.scalar(select(func.count()).select_from(Siswa)) or 0


def as_json(student: Siswa) -> dict[str, Any]:
    """Return a student as JSON, without the payments; amounts are decimal strings."""
    fields = {name: getattr(student, name) for name in AS_JSON}
    amounts = {name: _decimal(fields[name]) for name in AMOUNTS}
    return fields | amounts | {"synced_at": to_iso8601(student.synced_at)}


def _decimal(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
