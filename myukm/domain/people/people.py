"""Accounts as admins look after them: finding, roles, blocking."""

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, or_, select

from myukm.database import utcnow, write
from myukm.domain import audit
from myukm.domain.paging import Page, paginate
from myukm.domain.people.accounts import check_role, rights_changed
from myukm.errors import Conflict, NotFound
from myukm.extensions import db
from myukm.models import LoginSession, Role, User

MOST_WORDS = 8


def search(q: str = "", page: int = 1) -> Page[User]:
    """Return a page of the accounts whose name or NIM has every word of `q`, by name."""
    query = select(User).order_by(User.name, User.id)
    for word in q.split()[:MOST_WORDS]:
        has = (
            User.name.icontains(word, autoescape=True),
            User.nim.icontains(word, autoescape=True),
        )
        query = query.where(or_(*has))
    return paginate(query, page)


def set_role(actor: User, user_id: int, role: str) -> User:
    """Give an account another role. Raises `NotFound`, `Invalid`, `Conflict` for one's own."""
    check_role(role)
    with write():
        user = _other(actor, user_id)
        if user.role != role:
            audit.note(actor.name, f"user.role.{role}", f"{user.nim} {user.name}")
            user.role = Role(role)
    rights_changed()
    return user


def block(actor: User, user_id: int) -> User:
    """Log an account out everywhere and keep it out. Raises `NotFound`, `Conflict`."""
    with write() as session:
        user = _other(actor, user_id)
        session.execute(delete(LoginSession).where(LoginSession.user_id == user.id))
        if not user.blocked_at:
            audit.note(actor.name, "user.block", f"{user.nim} {user.name}")
            user.blocked_at = utcnow()
    rights_changed()
    return user


def unblock(actor: User, user_id: int) -> User:
    """Let an account in again. Raises `NotFound`, `Conflict`."""
    with write():
        user = _other(actor, user_id)
        if user.blocked_at:
            audit.note(actor.name, "user.unblock", f"{user.nim} {user.name}")
            user.blocked_at = None
    return user


def _other(actor: User, user_id: int) -> User:
    """Return the account; nobody shuts themselves out, so that an admin is always left."""
    user = db.session.get(User, user_id, with_for_update=True) if user_id < 2**63 else None
    if user is None:
        raise NotFound(_("Tidak ada pengguna ini."), code="no_such_user")
    if user.id == actor.id:
        raise Conflict(
            _("Akun Anda sendiri hanya bisa diubah oleh admin lain."), code="own_account"
        )
    return user
