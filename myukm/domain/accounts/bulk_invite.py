"""Bulk invitation from a CSV file: all rows or none."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import activity, csv_output
from myukm.domain.accounts import bulk_invite_csv
from myukm.domain.accounts.bulk_invite_csv import Roster, Row, RowError
from myukm.domain.accounts.codes import digest, new_code
from myukm.domain.actor import Actor
from myukm.errors import Conflict, Invalid
from myukm.extensions import db
from myukm.models import Invitation, User

BATCH = 500
T = TypeVar("T")
Coded = tuple[Row, str]  # a person and their one-time code


class Preview(NamedTuple):
    """What inviting by a file would do: how many people it invites, how many earlier codes it voids
    (`renewed`), and the errors of its lines."""

    people: int
    renewed: int
    problems: Sequence[RowError]


class InvalidCsv(Invalid):
    """A file with errors; nothing was written."""

    code = "bad_roster"

    def __init__(self, preview: Preview) -> None:
        super().__init__(_("Ada baris yang salah. Tidak ada yang ditulis."))
        self.preview = preview


def check(data: bytes) -> Preview:
    """Return what `invite` would do. Raises `Invalid` if the file is not readable as a roster."""
    return _validate(bulk_invite_csv.read(data))


def invite(data: bytes, *, by: Actor) -> Iterator[str]:
    """Invite everyone in a file and return a CSV of their one-time codes, which are shown only now.

    Raises `InvalidCsv` if a line has errors, `Invalid` if the file is not readable as a roster,
    `Conflict` if another import is running; then nothing is written.
    """
    roster = bulk_invite_csv.read(data)
    coded = [(row, new_code()) for row in roster.rows]
    try:
        _write(roster, coded, by)
    except IntegrityError:
        raise Conflict(_("Impor lain sedang berjalan. Ulangi setelah selesai.")) from None
    people = ((row.nim, row.name, row.role, code) for row, code in coded)
    return csv_output.to_csv(("nim", "name", "role", "code"), people)


def _write(roster: Roster, coded: list[Coded], by: Actor) -> None:
    with transaction() as session:
        preview = _validate(roster)
        if preview.problems:
            raise InvalidCsv(preview)
        for batch in _batches(coded):
            _store(session, batch)
        first, last = roster.rows[0].nim, roster.rows[-1].nim
        activity.record(by, "user.import", f"{preview.people} NIM: {first} … {last}")


def _validate(roster: Roster) -> Preview:
    taken, renewed = set[str](), 0
    for batch in _batches(roster.rows):
        nims = [row.nim for row in batch]
        taken.update(db.session.scalars(select(User.nim).where(User.nim.in_(nims))))
        invited = select(func.count()).where(Invitation.nim.in_(nims))
        renewed += db.session.scalar(invited) or 0
    known = [
        RowError(row.line, _("NIM ini sudah terdaftar.")) for row in roster.rows if row.nim in taken
    ]
    problems = sorted([*roster.problems, *known], key=lambda problem: problem.line)
    return Preview(len(roster.rows) - len(known), renewed, problems)


def _store(session: Session, batch: Sequence[Coded]) -> None:
    nims = [row.nim for row, _code in batch]
    session.execute(delete(Invitation).where(Invitation.nim.in_(nims)))
    session.execute(
        insert(Invitation),
        [
            {
                "nim": row.nim,
                "name": row.name,
                "role": row.role,
                "code_hash": digest(code),
                "created_at": utcnow(),
            }
            for row, code in batch
        ],
    )


def _batches(things: Sequence[T]) -> Iterator[list[T]]:
    rest = iter(things)
    while batch := list(islice(rest, BATCH)):
        yield batch
