"""Students who are no longer on the roster, and the guard against an incomplete roster."""

from collections.abc import Container, Iterator, Sequence
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from myukm.errors import Conflict
from myukm.extensions import db
from myukm.models import RosterChange, RosterImport, Siswa
from myukm.models.roster import ChangeKind

BATCH, MAX_NAMED = 1000, 10

Leaver = Row[tuple[int, str, str]]


def leavers(session: Session, roster: Container[str]) -> list[Leaver]:
    """Return the active students (id, idperson, nama) that a complete roster does not mention."""
    return [row for rows in _active(session) for row in rows if row.idperson not in roster]


def are_many(roster_import: RosterImport) -> bool:
    """Return whether more than `GUARD_SHARE` of the active students would leave; False if
    `GUARD_SHARE` is 0."""
    share = current_app.config["GUARD_SHARE"]
    return bool(share) and roster_import.leaving > share * roster_import.active


def many_leave(roster_import: RosterImport, cure: Any) -> Conflict:
    """Return the error that says how many students would leave and names ten of them; `cure` is its
    last sentence."""
    ours = (RosterChange.import_id == roster_import.id, RosterChange.kind == ChangeKind.LEAVING)
    query = select(RosterChange.nama, RosterChange.idperson).where(*ours)
    first = db.session.execute(query.order_by(RosterChange.number).limit(MAX_NAMED)).all()
    names = ", ".join(f"{row.nama} ({row.idperson})" for row in first)
    more = ", …" if roster_import.leaving > MAX_NAMED else ""
    return Conflict(
        _(
            "%(n)d dari %(all)d siswa aktif tidak ada di dalamnya dan akan menjadi nonaktif: "
            "%(names)s. Tidak ada yang ditulis. %(cure)s",
            n=roster_import.leaving,
            all=roster_import.active,
            names=names + more,
            cure=cure,
        ),
        code="many_leave",
    )


def _active(session: Session) -> Iterator[Sequence[Any]]:
    last = 0
    query = select(Siswa.id, Siswa.idperson, Siswa.nama).where(Siswa.active).order_by(Siswa.id)
    while rows := session.execute(query.where(Siswa.id > last).limit(BATCH)).all():
        last = rows[-1].id
        yield rows
