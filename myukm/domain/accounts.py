"""Accounts: making them, logging in, logging out."""

import secrets
from collections.abc import Sequence

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from myukm.database import count_changed, utcnow, write
from myukm.domain.passwords import hash_password, matches
from myukm.errors import Conflict, DomainError, Invalid, NotFound
from myukm.extensions import db
from myukm.live import wake
from myukm.models import LoginSession, Role, User

MIN_PASSWORD, MAX_PASSWORD = 8, 200


class WrongCredentials(DomainError):
    """No such NIM, a wrong password, or a blocked account: one answer for all three."""

    status = 401
    code = "wrong_credentials"


def create(nim: str, name: str, role: str, password: str) -> User:
    """Make an account. Raises `Invalid` for bad input, `Conflict` when the NIM is taken."""
    nim, name = nim.strip(), " ".join(name.split())
    check_person(nim, name, role)
    check_password(password)
    hashed = hash_password(password)
    try:
        with write() as session:
            user = User(nim=nim, name=name, role=role, password_hash=hashed)
            session.add(user)
    except IntegrityError:
        raise Conflict(_("NIM %(nim)s sudah terdaftar.", nim=nim), code="nim_taken") from None
    return user


def check_person(nim: str, name: str, role: str) -> None:
    """Raise `Invalid` when one of them can't be an account's."""
    if not nim or len(nim) > 32 or not nim.isprintable() or " " in nim:
        raise Invalid(_("NIM harus 1 sampai 32 huruf atau angka tanpa spasi."), code="bad_nim")
    if not name or len(name) > 120 or not name.isprintable():
        raise Invalid(_("Nama harus 1 sampai 120 huruf."), code="bad_name")
    if role not in list(Role):
        allowed = ", ".join(Role)
        raise Invalid(_("Peran harus salah satu dari: %(roles)s.", roles=allowed), code="bad_role")


def check_password(password: str) -> None:
    """Raise `Invalid` for a password that is too short or absurdly long."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise Invalid(
            _(
                "Kata sandi harus %(low)d sampai %(high)d karakter.",
                low=MIN_PASSWORD,
                high=MAX_PASSWORD,
            ),
            code="bad_password",
        )


def log_in(nim: str, password: str) -> LoginSession:
    """Return a new log-in session. Raises `WrongCredentials`."""
    user = db.session.scalar(select(User).where(User.nim == nim.strip()))
    known = matches(user.password_hash if user else None, password[: MAX_PASSWORD + 1])
    if user is None or not known or user.blocked_at:
        raise WrongCredentials(_("NIM atau kata sandi salah."))
    with write() as session:
        login = LoginSession(token=secrets.token_urlsafe(32), user_id=user.id)
        session.add(login)
    return login


def find_session(token: str) -> LoginSession | None:
    """Return the log-in session behind a cookie's token, if it still stands."""
    login = db.session.get(LoginSession, token)
    return None if login is None or login.user.blocked_at else login


def log_out(token: str) -> None:
    """End one log-in; its streams end as well."""
    with write() as session:
        session.execute(delete(LoginSession).where(LoginSession.token == token))
    rights_changed()


def set_password(nim: str, password: str) -> None:
    """Change a password and log the account out everywhere. Raises `NotFound`, `Invalid`."""
    check_password(password)
    hashed = hash_password(password)
    with write() as session:
        account = update(User).where(User.nim == nim.strip())
        if not count_changed(session, account.values(password_hash=hashed)):
            raise NotFound(_("Tidak ada pengguna dengan NIM %(nim)s.", nim=nim))
        owner = select(User.id).where(User.nim == nim.strip()).scalar_subquery()
        session.execute(delete(LoginSession).where(LoginSession.user_id == owner))
    rights_changed()


def find(nim: str) -> User:
    """Return the account with that NIM. Raises `NotFound`."""
    user = db.session.scalar(select(User).where(User.nim == nim.strip()))
    if user is None:
        raise NotFound(_("Tidak ada pengguna dengan NIM %(nim)s.", nim=nim), code="no_such_user")
    return user


def everyone() -> Sequence[User]:
    """Return all accounts by NIM."""
    return db.session.scalars(select(User).order_by(User.nim)).all()


def seen(user_id: int) -> None:
    """Note that the person was here now."""
    with write() as session:
        session.execute(update(User).where(User.id == user_id).values(last_seen_at=utcnow()))


def rights_changed() -> None:
    """Ask every stream to check at once what its reader may still see."""
    wake.tell("rights", "rights", None)
