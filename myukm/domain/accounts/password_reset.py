"""A forgotten password: an admin makes a one-time code, whoever has it sets a new password."""

from datetime import timedelta
from typing import NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, transaction
from myukm.db.types import utcnow
from myukm.domain import audit
from myukm.domain.accounts import accounts
from myukm.domain.accounts.account_rules import check_password, normal_nim
from myukm.domain.accounts.codes import digest, matches, new_code, wrong_code
from myukm.domain.accounts.passwords import hash_password
from myukm.errors import Conflict
from myukm.extensions import db
from myukm.live.topics import publish_rights_changed
from myukm.models import PasswordReset, User

VALID = timedelta(hours=24)


class Issued(NamedTuple):
    """A code as it is shown, once, and whose it is."""

    user: User
    code: str


def issue(user: User, *, by: str) -> Issued:
    """Make the account's code, valid for 24 hours; one made before is void.

    Raises `Conflict` for a blocked account.
    """
    code = new_code()
    with transaction() as session:
        if user.blocked_at:
            raise Conflict(_("Akun ini diblokir. Buka blokirnya dulu."), code="blocked")
        void(user.id)
        session.add(
            PasswordReset(user_id=user.id, code_hash=digest(code), expires_at=utcnow() + VALID)
        )
        audit.record(by, "user.reset_code", f"{user.nim} {user.name}")
    return Issued(user, code)


def void(user_id: int) -> None:
    """Make the account's open code worthless, inside `transaction()`."""
    db.session.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id))


def redeem(nim: str, code: str, password: str) -> User:
    """Set a new password by a code; the account is logged out everywhere. Returns the account.

    Raises `Invalid` for the password, and one `Forbidden` for a wrong NIM, a wrong or old code and
    a blocked account. Of two at the same moment, whoever deletes the code sets the password.
    """
    reset, user = _behind(normal_nim(nim), code)
    check_password(password, user.nim, user.name)
    hashed = hash_password(password)
    with transaction() as session:
        _take(session, reset)
        accounts.store_password(user.id, hashed)
        about = f"{user.nim} {user.name}"
        audit.record(user.name, "user.reset_password", about, actor_id=user.id)
    publish_rights_changed()
    return user


def _behind(nim: str, code: str) -> tuple[PasswordReset, User]:
    query = (
        select(PasswordReset, User)
        .join(User, User.id == PasswordReset.user_id)
        .where(User.nim == nim, User.blocked_at.is_(None), PasswordReset.expires_at > utcnow())
    )
    found = db.session.execute(query).one_or_none() if nim.isprintable() else None
    if found is None or not matches(found[0].code_hash, code):
        raise wrong_code()
    return found[0], found[1]


def _take(session: Session, reset: PasswordReset) -> None:
    mine = delete(PasswordReset).where(
        PasswordReset.user_id == reset.user_id, PasswordReset.code_hash == reset.code_hash
    )
    if not execute_rowcount(session, mine):
        raise wrong_code()
