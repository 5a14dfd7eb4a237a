"""Students who are no longer on the roster, and the guard against an incomplete roster."""

from collections.abc import Container, Iterator, Sequence
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from myukm.db.session import in_literals
from myukm.errors import Conflict
from myukm.models import Siswa

BATCH, MAX_NAMED = 1000, 10

Leaver = Row[tuple[int, str, str]]


def leavers(session: Session, roster: Container[str]) -> list[Leaver]:
    """Return the active students (id, idperson, nama) that a complete roster does not mention."""
    return [row for rows in _active(session) for row in rows if row.idperson not in roster]


def check(session: Session, gone: Sequence[Leaver]) -> None:
    """Raise `Conflict` if these are more than `GUARD_SHARE` of the active students (0: never)."""
    share = current_app.config["GUARD_SHARE"]
    active = session.scalar(select(func.count()).where(Siswa.active)) or 0
    if not share or len(gone) <= share * active:
        return
    names = ", ".join(f"{row.nama} ({row.idperson})" for row in gone[:MAX_NAMED])
    more = ", …" if len(gone) > MAX_NAMED else ""
    raise Conflict(
        _(
            "%(n)d dari %(all)d siswa aktif tidak ada di dalamnya dan akan menjadi nonaktif: "
            "%(names)s. Tidak ada yang ditulis. Bila memang benar, ulangi dengan --accept.",
            n=len(gone),
            all=active,
            names=names + more,
        ),
        code="many_leave",
    )


def deactivate(session: Session, gone: Sequence[Leaver]) -> None:
    """Set these students inactive."""
    for start in range(0, len(gone), BATCH):
        ids = [row.id for row in gone[start : start + BATCH]]
        session.execute(update(Siswa).where(in_literals(Siswa.id, ids)).values(active=False))


def _active(session: Session) -> Iterator[Sequence[Any]]:
    last = 0
    query = select(Siswa.id, Siswa.idperson, Siswa.nama).where(Siswa.active).order_by(Siswa.id)
    while rows := session.execute(query.where(Siswa.id > last).limit(BATCH)).all():
        last = rows[-1].id
        yield rows
