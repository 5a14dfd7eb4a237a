"""`python -m demo.seed`: migrate the demo's database and fill it if it is empty."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask_migrate import upgrade
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from demo.history import load_history
from devtools.sample import ACCOUNTS, STUDENTS, UKMS, Student, student, students
from devtools.sample import Ukm as SampleUkm
from myukm import add_commands
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.accounts.passwords import hash_password
from myukm.domain.ukm import administration as ukm_administration
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, Siswa, Ukm, User

SYNCED_EVERY, LEFT = 12, 24


def main() -> None:
    """Prepare the database. Importing `wsgi` exits with one line if a setting is wrong."""
    from wsgi import app

    add_commands(app)  # also initializes Flask-Migrate, which `upgrade` needs

    with app.app_context():
        upgrade()
        if is_empty():
            load()


def is_empty() -> bool:
    """Return whether the database has neither accounts nor students."""
    some = (select(User.id).limit(1), select(Siswa.id).limit(1))
    return all(db.session.scalar(query) is None for query in some)


def load(total: int = STUDENTS) -> None:
    """Load the sample campus with its first `total` students, in one transaction.

    Every twelfth has payments, as if an earlier run had synced it. `LEFT` further students, synced
    too, have left the campus.
    """
    enrolled = list(students(total))
    left = [student(STUDENTS + number) for number in range(LEFT)]
    with transaction() as session:
        session.execute(insert(Siswa), [_siswa(one) for one in enrolled])
        session.execute(insert(Siswa), [_siswa(one) | {"active": False} for one in left])
        load_history(session, [*enrolled[SYNCED_EVERY - 1 :: SYNCED_EVERY], *left])
        user_ids = _load_accounts(session)
        for sample in UKMS:
            _load_ukm(session, sample, user_ids)


def _siswa(student: Student) -> dict[str, Any]:
    """Return a row of `siswa`: the API's UnitFormal is the column unit_formal."""
    return {
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower(): str(value or "")
        for name, value in student.items()
    }


def _load_accounts(session: Session) -> dict[str, int]:
    """Insert the accounts and return their ids by NIM.

    Accounts with the same password share one hash, because hashing is slow on purpose.
    """
    hashes = {password: hash_password(password) for password in {a.password for a in ACCOUNTS}}
    rows = [
        {"nim": a.nim, "name": a.name, "role": a.role, "password_hash": hashes[a.password]}
        for a in ACCOUNTS
    ]
    session.execute(insert(User), rows)
    return {user.nim: user.id for user in session.execute(select(User.nim, User.id))}


def _load_ukm(session: Session, sample: SampleUkm, user_ids: dict[str, int]) -> None:
    ukm = Ukm(
        code=sample.code,
        join_code=ukm_administration.new_join_code(),
        name=sample.name,
        description=sample.description,
        last_number=len(sample.lines),
    )
    session.add(ukm)
    session.flush()
    session.execute(insert(Membership), list(_memberships(ukm.id, sample, user_ids)))
    session.execute(insert(ChatMessage), list(_messages(ukm.id, sample, user_ids)))


def _memberships(
    ukm_id: int, sample: SampleUkm, user_ids: dict[str, int]
) -> Iterator[dict[str, Any]]:
    """Yield memberships: the first is the UKM's admin, and some have unread messages."""
    for position, nim in enumerate(sample.members):
        yield {
            "ukm_id": ukm_id,
            "user_id": user_ids[nim],
            "is_admin": position == 0,
            "read_number": len(sample.lines) - position % 4,
        }


def _messages(ukm_id: int, sample: SampleUkm, user_ids: dict[str, int]) -> Iterator[dict[str, Any]]:
    now = utcnow()
    for number, line in enumerate(sample.lines, start=1):
        written = now - timedelta(minutes=line.minutes_ago)
        yield {
            "ukm_id": ukm_id,
            "user_id": user_ids[line.nim],
            "client_id": f"sample-{number}",
            "number": number,
            "body": line.text,
            "created_at": written,
            "published_at": written,
        }


if __name__ == "__main__":
    main()
