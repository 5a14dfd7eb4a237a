"""Accounts: making them, logging in, logging out."""

import secrets
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from myukm import security_log
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import audit
from myukm.domain.accounts.account_rules import (
    MAX_PASSWORD,
    check_password,
    checked_person,
    normal_nim,
)
from myukm.domain.accounts.passwords import hash_password, is_outdated, verify
from myukm.errors import Conflict, DomainError, NotFound
from myukm.extensions import db
from myukm.live.topics import publish_rights_changed
from myukm.models import LoginSession, PasswordReset, Role, User

MAX_NAMED = 3


class WrongCredentials(DomainError):
    """No such NIM, or a wrong password: one answer for both, of a blocked account too."""

    status = 401
    code = "wrong_credentials"


def create(nim: str, name: str, role: str, password: str, *, by: str | None) -> User:
    """Make an account for the trail's `by` (None: its owner).

    Raises `Invalid`, `Conflict` for a taken NIM.
    """
    nim, name = checked_person(nim, name, role)
    check_password(password, nim, name)
    user = User(nim=nim, name=name, role=role, password_hash=hash_password(password))
    insert(user, by=by)
    return user


def insert(user: User, *, by: str | None) -> None:
    """Store a new account; `by` None: its owner made it. Raises `Conflict` for a taken NIM."""
    try:
        with transaction() as session:
            session.add(user)
            session.flush()
            owner = user.id if by is None else None
            audit.record(by or user.name, "user.create", f"{user.nim} {user.name}", actor_id=owner)
    except IntegrityError:
        raise nim_taken(user.nim) from None


def nim_taken(nim: str) -> Conflict:
    """Return the answer to a NIM that has an account."""
    return Conflict(_("NIM %(nim)s sudah terdaftar.", nim=nim), code="nim_taken")


def log_in(nim: str, password: str) -> LoginSession:
    """Return a new log-in session. Raises `WrongCredentials`."""
    user = by_nim(nim)
    if user:
        security_log.set_target(user.id)
    known = verify(user.password_hash if user else None, password[: MAX_PASSWORD + 1])
    if user is None or not known:
        raise _wrong()
    if user.blocked_at:
        raise _blocked()
    if is_outdated(user.password_hash):
        _hash_again(user, password)
    return open_session(user)


def _wrong() -> WrongCredentials:
    return WrongCredentials(_("NIM atau kata sandi salah."))


def _blocked() -> WrongCredentials:
    """Return the answer to the right password of a blocked account: whom to ask."""
    active = select(User.name).where(User.role == Role.ADMIN, User.blocked_at.is_(None))
    names = ", ".join(db.session.scalars(active.order_by(User.id).limit(MAX_NAMED)))
    text = _("Akun Anda diblokir. Hubungi admin kampus: %(names)s.", names=names)
    return WrongCredentials(text, code="account_blocked")


def _hash_again(user: User, password: str) -> None:
    """Store a password that an earlier version hashed in today's way."""
    hashed = hash_password(password)
    with transaction() as session:
        same = (User.id == user.id, User.password_hash == user.password_hash)
        session.execute(update(User).where(*same).values(password_hash=hashed))


def open_session(user: User) -> LoginSession:
    """Log the person in on one more device. Raises `WrongCredentials` for who is too late."""
    with transaction() as session:
        if not is_unchanged(user.id, user.password_hash):
            raise _wrong()
        token = secrets.token_urlsafe(32)
        login = LoginSession(token_hash=LoginSession.digest(token), user_id=user.id)
        login.token = token
        session.add(login)
    return login


def is_unchanged(user_id: int, password_hash: str) -> bool:
    """Return whether the password that was confirmed is still the account's, and it is open.

    Call it inside `transaction()`, where it locks the account: hashing takes time, and an old
    password must not count any more once a new one is stored."""
    still = (User.id == user_id, User.password_hash == password_hash, User.blocked_at.is_(None))
    return bool(db.session.scalar(select(User.id).where(*still).with_for_update(key_share=True)))


def end_sessions(user_id: int, keep: str | None = None) -> None:
    """Log an account out on every device, inside `transaction()`; the log-in `keep` stays."""
    own_sessions = delete(LoginSession).where(LoginSession.user_id == user_id)
    db.session.execute(
        own_sessions.where(LoginSession.token_hash != keep) if keep else own_sessions
    )


def count_sessions(user_id: int) -> int:
    """Return on how many devices the account is logged in."""
    own_sessions = select(func.count()).where(
        LoginSession.user_id == user_id, LoginSession.stands(utcnow())
    )
    return db.session.scalar(own_sessions) or 0


def find_session(token: str) -> LoginSession | None:
    """Return the log-in session behind a cookie's token, if it still stands."""
    own_sessions = select(LoginSession).where(
        LoginSession.token_hash == LoginSession.digest(token), LoginSession.stands(utcnow())
    )
    login = db.session.scalar(own_sessions)
    return None if login is None or login.user.blocked_at else login


def refresh_session(token_hash: str) -> None:
    """Note that the log-in was used today."""
    with transaction() as session:
        own_sessions = update(LoginSession).where(LoginSession.token_hash == token_hash)
        session.execute(own_sessions.values(seen_at=utcnow()))


def log_out(token_hash: str) -> None:
    """End one log-in; its streams end as well."""
    with transaction() as session:
        session.execute(delete(LoginSession).where(LoginSession.token_hash == token_hash))
    publish_rights_changed()


def set_password(nim: str, password: str, *, by: str) -> None:
    """Change a password and log the account out everywhere. Raises `NotFound`, `Invalid`."""
    user = find(nim)
    check_password(password, user.nim, user.name)
    hashed = hash_password(password)
    with transaction():
        store_password(user.id, hashed)
        audit.record(by, "user.password", f"{user.nim} {user.name}")
    publish_rights_changed()


def store_password(user_id: int, hashed: str, keep: str | None = None) -> None:
    """Store a password inside `transaction()`; its owner is logged out elsewhere, an open code is
    void.

    The log-in `keep` stays.
    """
    done = update(User).where(User.id == user_id).values(password_hash=hashed)
    db.session.execute(done)
    db.session.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id))
    end_sessions(user_id, keep)


def as_json(user: User) -> dict[str, Any]:
    """Return the account object, as its owner may see it."""
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
    """Return the account with that NIM, however it was typed."""
    nim = normal_nim(nim)
    return db.session.scalar(select(User).where(User.nim == nim)) if nim.isprintable() else None
