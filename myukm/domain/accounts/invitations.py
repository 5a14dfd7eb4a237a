"""Invitations: a one-time code lets a NIM register."""

from sqlalchemy import delete, select

from myukm.db.session import execute_rowcount, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.accounts import accounts
from myukm.domain.accounts.account_rules import check_password, checked_person, normal_nim
from myukm.domain.accounts.codes import digest, matches, new_code, wrong_code
from myukm.domain.accounts.passwords import hash_password
from myukm.domain.actor import Actor
from myukm.extensions import db
from myukm.models import Invitation, User


def invite(actor: User, nim: str, name: str, role: str) -> str:
    """Invite a NIM for 30 days and return its one-time code, which is shown only now.

    Voids an earlier code of that NIM. Raises `Invalid`, or `Conflict` if it has an account.
    """
    nim, name = checked_person(nim, name, role)
    code = new_code()
    with transaction() as session:
        if session.scalar(select(User.id).where(User.nim == nim)):
            raise accounts.nim_taken(nim)
        session.execute(delete(Invitation).where(Invitation.nim == nim))
        session.add(Invitation(nim=nim, name=name, role=role, code_hash=digest(code)))
        activity.record(Actor.of(actor), "user.invite", f"{nim} {name}")
    return code


def register(nim: str, code: str, password: str) -> User:
    """Create the invited account. Raises `Forbidden` for a wrong code, `Invalid`.

    Of two concurrent calls the one that deletes the invitation succeeds.
    """
    invitation = _behind(normal_nim(nim), code)
    check_password(password, invitation.nim, invitation.name)
    user = User(
        nim=invitation.nim,
        name=invitation.name,
        role=invitation.role,
        password_hash=hash_password(password),
    )
    with transaction() as session:
        if not execute_rowcount(session, delete(Invitation).where(Invitation.id == invitation.id)):
            raise wrong_code()
        accounts.insert(user, by=None)
    return user


def _behind(nim: str, code: str) -> Invitation:
    query = select(Invitation).where(Invitation.nim == nim, Invitation.stands(utcnow()))
    found = db.session.scalar(query) if nim.isprintable() else None
    if found is None or not matches(found.code_hash, code):
        raise wrong_code()
    return found
