"""Accounts: create, log in, log out, set a password."""

import secrets
from collections.abc import Collection
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.accounts.account_rules import (
    MAX_PASSWORD,
    check_password,
    checked_person,
    normal_nim,
)
from myukm.domain.accounts.passwords import hash_password, is_outdated, verify
from myukm.domain.actor import Actor
from myukm.domain.siswa import links
from myukm.errors import Conflict, DomainError, NotFound
from myukm.extensions import db
from myukm.live.topics import publish_rights_changed
from myukm.logs import security_log
from myukm.models import LoginSession, PasswordReset, Role, User

MAX_NAMED = 3  # admins named in an error message


class WrongCredentials(DomainError):
    """Unknown NIM or wrong password. One error for both, so that it does not reveal accounts."""

    status = 401
    code = "wrong_credentials"


def create(nim: str, name: str, role: str, password: str, *, by: Actor | None) -> User:
    """Create an account. `by` is None if its owner registers.

    Raises `Invalid`, or `Conflict` if the NIM is taken.
    """
    nim, name = checked_person(nim, name, role)
    check_password(password, nim, name)
    user = User(nim=nim, name=name, role=role, password_hash=hash_password(password))
    insert(user, by=by, is_vouched=by is not None)
    return user


def insert(user: User, *, by: Actor | None, is_vouched: bool) -> None:
    """Insert a new account; `by` as in `create`. Raises `Conflict` if the NIM is taken.

    `is_vouched`: an admin confirmed the NIM, so the account is linked to the student with that NIM.
    """
    try:
        with transaction() as session:
            session.add(user)
            session.flush()
            activity.record(by or Actor.of(user), "user.create", f"{user.nim} {user.name}")
            if is_vouched:
                links.link_by_nim(session, user)
    except IntegrityError:
        raise nim_taken(user.nim) from None


def nim_taken(nim: str) -> Conflict:
    """Return the error for a NIM that already has an account."""
    return Conflict(_("NIM %(nim)s sudah terdaftar.", nim=nim), code="nim_taken")


def log_in(nim: str, password: str) -> LoginSession:
    """Return a new log-in session. Raises `WrongCredentials`."""
    user = by_nim(nim)
    if user:
        security_log.set_target(user.id)
    is_correct = verify(user.password_hash if user else None, password[: MAX_PASSWORD + 1])
    if user is None or not is_correct:
        raise _wrong()
    if user.blocked_at:
        raise _blocked()
    if is_outdated(user.password_hash):
        _hash_again(user, password)
    return open_session(user)


def _wrong() -> WrongCredentials:
    return WrongCredentials(_("NIM atau kata sandi salah."))


def _blocked() -> WrongCredentials:
    """Return the error for a blocked account and its right password. It names admins to ask."""
    active = select(User.name).where(User.role == Role.ADMIN, User.blocked_at.is_(None))
    names = ", ".join(db.session.scalars(active.order_by(User.id).limit(MAX_NAMED)))
    text = _("Akun Anda diblokir. Hubungi admin kampus: %(names)s.", names=names)
    return WrongCredentials(text, code="account_blocked")


def _hash_again(user: User, password: str) -> None:
    """Replace a hash that was made with outdated settings. Raises `WrongCredentials` if the
    password was changed meanwhile."""
    verified, hashed = user.password_hash, hash_password(password)
    with transaction() as session:
        same = (User.id == user.id, User.password_hash == verified)
        replaced = execute_rowcount(session, update(User).where(*same).values(password_hash=hashed))
    db.session.refresh(user)
    if not replaced and not verify(user.password_hash, password):
        raise _wrong()


def open_session(user: User) -> LoginSession:
    """Insert a log-in for this device. Raises `WrongCredentials` if the password was changed or the
    account blocked since it was verified."""
    with transaction() as session:
        if not is_unchanged(user.id, user.password_hash):
            raise _wrong()
        token = secrets.token_urlsafe(32)
        login = LoginSession(token_hash=LoginSession.digest(token), user_id=user.id)
        login.token = token
        session.add(login)
    return login


def lock(session: Session, user_id: int) -> User | None:
    """Lock and return an account, inside `transaction()`, because it may be deleted meanwhile."""
    return session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)


def is_unchanged(user_id: int, password_hash: str) -> bool:
    """Return whether the verified password hash is still current and the account not blocked.

    Locks the account inside `transaction()`, because verifying takes time and the password may be
    changed meanwhile."""
    same = (User.id == user_id, User.password_hash == password_hash, User.blocked_at.is_(None))
    return bool(db.session.scalar(select(User.id).where(*same).with_for_update(key_share=True)))


def end_sessions(user_id: int, keep: str | None = None) -> None:
    """Delete all log-ins of an account except `keep`, inside `transaction()`."""
    _end_sessions(LoginSession.user_id == user_id, LoginSession.token_hash != (keep or ""))


def _end_sessions(*conditions: ColumnElement[bool]) -> None:
    """Delete log-ins, which also ends their streams."""
    db.session.execute(delete(LoginSession).where(*conditions))
    publish_rights_changed()


def count_sessions(user_id: int) -> int:
    """Return the number of the account's log-ins."""
    own_sessions = select(func.count()).where(
        LoginSession.user_id == user_id, LoginSession.is_valid()
    )
    return db.session.scalar(own_sessions) or 0


def find_session(token: str) -> LoginSession | None:
    """Return the log-in for a cookie's token, None if it has ended or expired."""
    login = db.session.scalar(_LOGIN, {"token": LoginSession.digest(token)})
    return None if login is None or login.user.blocked_at else login


# Built once, because every request needs it.
_LOGIN = select(LoginSession).where(
    LoginSession.token_hash == bindparam("token"), LoginSession.is_valid()
)


def refresh_sessions(token_hashes: Collection[str]) -> None:
    """Extend log-ins: record that they were used now."""
    with transaction() as session:
        used = update(LoginSession).where(LoginSession.token_hash.in_(token_hashes))
        session.execute(used.values(seen_at=utcnow()))


def log_out(token_hash: str) -> None:
    """Delete one log-in."""
    with transaction():
        _end_sessions(LoginSession.token_hash == token_hash)


def set_password(nim: str, password: str, *, by: Actor) -> None:
    """Set a password and delete all log-ins of the account. Raises `NotFound`, `Invalid`."""
    user = find(nim)
    check_password(password, user.nim, user.name)
    hashed = hash_password(password)
    with transaction():
        store_password(user.id, hashed)
        activity.record(by, "user.password", f"{user.nim} {user.name}")


def store_password(user_id: int, hashed: str, keep: str | None = None) -> None:
    """Store a password hash inside `transaction()`, delete the account's log-ins except `keep`, and
    void its one-time code."""
    db.session.execute(update(User).where(User.id == user_id).values(password_hash=hashed))
    db.session.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id))
    end_sessions(user_id, keep)


def as_json(user: User) -> dict[str, Any]:
    """Return the account as JSON, for its owner."""
    return {
        "user_id": user.id,
        "nim": user.nim,
        "name": user.name,
        "role": user.role,
        "photo": user.photo,
    }


def find(nim: str) -> User:
    """Return the account with that NIM. Raises `NotFound`."""
    user = by_nim(nim)
    if user is None or user.deleted_at:
        raise NotFound(_("Tidak ada pengguna dengan NIM %(nim)s.", nim=nim), code="no_such_user")
    return user


def by_nim(nim: str) -> User | None:
    """Return the account with that NIM in any spelling, None if there is none."""
    nim = normal_nim(nim)
    return db.session.scalar(select(User).where(User.nim == nim)) if nim.isprintable() else None
