"""Password reset: an admin creates a one-time code, with which the owner sets a new password."""

from datetime import timedelta
from typing import NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.accounts import accounts
from myukm.domain.accounts.account_rules import check_password, normal_nim
from myukm.domain.accounts.codes import digest, matches, new_code, wrong_code
from myukm.domain.accounts.passwords import hash_password
from myukm.domain.actor import Actor
from myukm.errors import Conflict
from myukm.extensions import db
from myukm.models import PasswordReset, User

VALID = timedelta(hours=24)


class Issued(NamedTuple):
    """A new code, which is shown only once, and its account."""

    user: User
    code: str


def issue(user: User, *, by: Actor) -> Issued:
    """Create the account's code, valid for 24 hours, and void an earlier code.

    Raises `Conflict` if the account is blocked.
    """
    code = new_code()
    with transaction() as session:
        # Locked, so that a concurrent code, new password or block comes before or after this code.
        session.refresh(user, with_for_update={"key_share": True})
        if user.blocked_at:
            raise Conflict(_("Akun ini diblokir. Buka blokirnya dulu."), code="blocked")
        void(user.id)
        session.add(
            PasswordReset(user_id=user.id, code_hash=digest(code), expires_at=utcnow() + VALID)
        )
        activity.record(by, "user.reset_code", f"{user.nim} {user.name}")
    return Issued(user, code)


def void(user_id: int) -> None:
    """Delete the account's code, inside `transaction()`."""
    db.session.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id))


def redeem(nim: str, code: str, password: str) -> User:
    """Set a new password with a code, delete all log-ins of the account, and return the account.

    Raises `Invalid` for the password, and the same `Forbidden` for a wrong NIM, a wrong or expired
    code and a blocked account. Of two concurrent calls the one that deletes the code succeeds.
    """
    reset, user = _find(normal_nim(nim), code)
    check_password(password, user.nim, user.name)
    hashed = hash_password(password)
    with transaction() as session:
        accounts.lock(session, user.id)  # before the code, as everybody who voids a code does
        _use_up(session, reset)
        accounts.store_password(user.id, hashed)
        activity.record(Actor.of(user), "user.reset_password", f"{user.nim} {user.name}")
    return user


def _find(nim: str, code: str) -> tuple[PasswordReset, User]:
    """Return the reset of this NIM with this code, and its account. Raises `Forbidden`."""
    query = (
        select(PasswordReset, User)
        .join(User, User.id == PasswordReset.user_id)
        .where(User.nim == nim, User.blocked_at.is_(None), PasswordReset.expires_at > utcnow())
    )
    found = db.session.execute(query).one_or_none() if nim.isprintable() else None
    if found is None or not matches(found[0].code_hash, code):
        raise wrong_code()
    return found[0], found[1]


def _use_up(session: Session, reset: PasswordReset) -> None:
    """Delete the code. Raises `Forbidden` if a concurrent call did so first."""
    statement = delete(PasswordReset).where(
        PasswordReset.user_id == reset.user_id, PasswordReset.code_hash == reset.code_hash
    )
    if not execute_rowcount(session, statement):
        raise wrong_code()
