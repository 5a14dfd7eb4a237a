"""Links between accounts and students, by a one-time code or by the NIM of an admin's import.

A link is stored with the account as the student's idperson, which no other student ever gets. A NIM
links only if it proves who a person is: not while anyone may register under any NIM.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.accounts.codes import digest, new_code
from myukm.domain.actor import Actor
from myukm.errors import Conflict, Forbidden, NotFound
from myukm.extensions import db
from myukm.models import Siswa, StudentCode, User

CODE, NIM = "code", "nim"


def student_of(user_id: int) -> Siswa:
    """Return the student whom the account is linked to. Raises `NotFound`."""
    own = select(Siswa).join(User, User.idperson == Siswa.idperson).where(User.id == user_id)
    student = db.session.scalar(own)
    if student is None:
        raise NotFound(_("Halaman ini tidak ada."), code="not_found")
    return student


def account_of(idperson: str) -> User | None:
    """Return the account that is linked to a student, None if there is none."""
    return db.session.scalar(select(User).where(User.idperson == idperson))


def open_code(idperson: str) -> datetime | None:
    """Return until when a student's open code is valid, None if there is none."""
    code = db.session.get(StudentCode, idperson)
    until = code and code.created_at + StudentCode.MAX_AGE
    return until if until and until > utcnow() else None


def create_code(student: Siswa, by: Actor) -> str:
    """Return a new one-time code for a student; an earlier code is void.

    The code can be shown only now, because only its digest is stored. Raises `Conflict` if the
    student is linked already.
    """
    code = new_code()
    row_lock = select(Siswa.id).where(Siswa.idperson == student.idperson).with_for_update()
    with transaction() as session:
        session.execute(row_lock)
        if account_of(student.idperson):
            raise _already_linked()
        session.execute(delete(StudentCode).where(StudentCode.idperson == student.idperson))
        session.add(StudentCode(idperson=student.idperson, code_hash=digest(code)))
        activity.record(by, "siswa.link_code", f"{student.idperson} {student.nama}")
    return code


def redeem(account: User, code: str) -> Siswa:
    """Link an account to the student of a code.

    Raises `Forbidden` for a wrong code, `Conflict`, and `NotFound` for a deleted account.
    """
    try:
        with transaction() as session:
            locked = session.get_one(
                User, account.id, with_for_update={"key_share": True}, populate_existing=True
            )
            if locked.deleted_at:
                raise NotFound(_("Akun ini sudah dihapus."), code="account_deleted")
            if locked.idperson:
                raise Conflict(_("Akun ini sudah terhubung dengan siswa."), code="already_linked")
            student = _spend(session, digest(code))
            _link(session, locked, student, CODE, by=Actor.of(locked))
            session.flush()
    except IntegrityError:
        raise _already_linked() from None
    return student


def _spend(session: Session, code_hash: str) -> Siswa:
    """Delete a code and return its student: of two concurrent calls one succeeds."""
    valid = (StudentCode.code_hash == code_hash, StudentCode.is_valid(utcnow()))
    idperson = session.scalar(select(StudentCode.idperson).where(*valid))
    student = session.scalar(select(Siswa).where(Siswa.idperson == (idperson or "")))
    used = delete(StudentCode).where(StudentCode.code_hash == code_hash)
    if student is None or not execute_rowcount(session, used):
        raise Forbidden(
            _("Kode ini salah atau sudah tidak berlaku. Minta kode baru kepada bendahara."),
            code="wrong_code",
        )
    return student


def unlink(student: Siswa, by: Actor) -> None:
    """Unlink the account of a student. Raises `NotFound` if there is none."""
    with transaction() as session:
        account = account_of(student.idperson)
        if account is None:
            raise NotFound(_("Siswa ini tidak terhubung dengan akun."), code="not_linked")
        _unlink(session, [account], by)


def link_by_nim(session: Session, account: User) -> None:
    """Link a new account to the one student with its NIM, inside the `transaction()` that made it.

    Only for accounts whose NIM somebody vouched for: invited, or made by an admin.
    """
    follow_nims(session, {account.nim}, Actor.of(account))


def follow_nims(session: Session, nims: Collection[str], by: Actor) -> None:
    """Link and unlink the accounts with these NIMs according to the students' NIMs, inside a
    `transaction()`.

    A NIM that several students have links no account. Links by code stay as they are.
    """
    query = select(User).where(User.nim.in_(nims), User.deleted_at.is_(None)).order_by(User.id)
    # Locked, because an account may be redeeming a code at this moment.
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    accounts = session.scalars(locked).all()
    students = _by_nim(session, nims) if current_app.config["REGISTRATION"] != "open" else {}
    for account in accounts:
        student = students.get(account.nim)
        wanted = student.idperson if student else None
        if account.linked_by == NIM and account.idperson != wanted:
            _unlink(session, [account], by)
            session.flush()
        if student and account.idperson is None and not account_of(student.idperson):
            _link(session, account, student, NIM, by=by)
            session.flush()


def linked_by_code(session: Session, ids: Sequence[str]) -> set[str]:
    """Return the idpersons among `ids` whose accounts are linked by a code."""
    query = select(User.idperson).where(User.idperson.in_(ids), User.linked_by == CODE)
    return {idperson for idperson in session.scalars(query) if idperson}


def void_codes(session: Session, ids: Sequence[str]) -> None:
    """Void the codes of students who are deleted, inside a `transaction()`."""
    session.execute(delete(StudentCode).where(StudentCode.idperson.in_(ids)))


def _by_nim(session: Session, nims: Collection[str]) -> Mapping[str, Siswa]:
    """Return the students with these NIMs, without NIMs that several students have."""
    ours = Siswa.nim.in_([nim for nim in nims if nim])
    unique = select(Siswa.nim).where(ours).group_by(Siswa.nim).having(func.count() == 1)
    found = session.scalars(select(Siswa).where(Siswa.nim.in_(unique)))
    return {student.nim: student for student in found}


def _link(session: Session, account: User, student: Siswa, how: str, *, by: Actor) -> None:
    account.idperson, account.linked_by, account.linked_at = student.idperson, how, utcnow()
    session.execute(delete(StudentCode).where(StudentCode.idperson == student.idperson))
    activity.record(by, "siswa.link", f"{account.nim} – {student.idperson} {student.nama}")


def _unlink(session: Session, accounts: Sequence[User], by: Actor) -> None:
    for account in accounts:
        activity.record(by, "siswa.unlink", f"{account.nim} – {account.idperson}")
        account.idperson = account.linked_by = account.linked_at = None


def _already_linked() -> Conflict:
    text = _("Siswa ini sudah terhubung dengan akun lain. Lepaskan dulu yang lama.")
    return Conflict(text, code="already_linked")
