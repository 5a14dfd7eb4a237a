"""Administration of accounts: search, roles, blocking."""

from flask_babel import lazy_gettext as _
from sqlalchemy import or_, select

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import audit
from myukm.domain.accounts import password_reset, photos
from myukm.domain.accounts.account_rules import check_role
from myukm.domain.accounts.accounts import end_sessions
from myukm.domain.paging import Page, paginate
from myukm.errors import Conflict, NotFound
from myukm.extensions import db
from myukm.live.topics import publish_rights_changed
from myukm.models import Role, User

MAX_WORDS = 8
STATUSES = ("active", "blocked")


def search(q: str = "", page: int = 1, role: str = "", status: str = "") -> Page[User]:
    """Return a page of the accounts whose name or NIM has every word of `q`, by name.

    `role` narrows it to that role, `status` to "active" or "blocked" ones; "" is all of them.
    """
    query = select(User).where(User.deleted_at.is_(None)).order_by(User.name, User.id)
    if role:
        query = query.where(User.role == role)
    if status in STATUSES:
        query = query.where(User.blocked_at.is_not(None) == (status == "blocked"))
    for word in q.split()[:MAX_WORDS]:
        has = (
            User.name.icontains(word, autoescape=True),
            User.nim.icontains(word, autoescape=True),
        )
        query = query.where(or_(*has))
    return paginate(query, page)


def set_role(actor: User, user_id: int, role: str) -> User:
    """Give an account another role. Raises `NotFound`, `Invalid`, `Conflict` for one's own."""
    check_role(role)
    with transaction():
        admins = lock_admins()
        user = _account_other_than_self(actor, user_id)
        if user.role != role:
            check_not_last_admin(user, admins)
            audit.record(actor.name, f"user.role.{role}", f"{user.nim} {user.name}")
            user.role = Role(role)
    publish_rights_changed()
    return user


def block(actor: User, user_id: int) -> User:
    """Log an account out everywhere and keep it out. Raises `NotFound`, `Conflict`."""
    with transaction():
        admins = lock_admins()
        user = _account_other_than_self(actor, user_id)
        check_not_last_admin(user, admins)
        end_sessions(user.id)
        password_reset.void(user.id)
        if not user.blocked_at:
            audit.record(actor.name, "user.block", f"{user.nim} {user.name}")
            user.blocked_at = utcnow()
    publish_rights_changed()
    return user


def unblock(actor: User, user_id: int) -> User:
    """Let an account in again. Raises `NotFound`, `Conflict`."""
    with transaction():
        user = _account_other_than_self(actor, user_id)
        if user.blocked_at:
            audit.record(actor.name, "user.unblock", f"{user.nim} {user.name}")
            user.blocked_at = None
    return user


def reset_code(actor: User, user_id: int) -> password_reset.Issued:
    """Make the one-time code for a forgotten password. Raises `NotFound`, `Conflict`."""
    with transaction():
        return password_reset.issue(_account_other_than_self(actor, user_id), by=actor.name)


def remove_photo(actor: User, user_id: int) -> User:
    """Take away a photo that must not be seen. Raises `NotFound`, `Conflict`."""
    with transaction():
        user = _account_other_than_self(actor, user_id)
        photos.remove(user, by=actor.name)
    return user


def lock_admins() -> set[int]:
    """Return the ids of the admins who can log in; until the commit no other call changes them."""
    query = select(User.id).where(User.role == Role.ADMIN, User.blocked_at.is_(None))
    return set(db.session.scalars(query.order_by(User.id).with_for_update(key_share=True)))


def check_not_last_admin(user: User, admins: set[int]) -> None:
    """Raise `Conflict` when nobody could look after the campus without `user`."""
    if admins == {user.id}:
        raise Conflict(_("Ini admin terakhir. Jadikan orang lain admin dulu."), code="last_admin")


def _account_other_than_self(actor: User, user_id: int) -> User:
    """Return the account; nobody shuts themselves out, so that an admin is always left."""
    user = db.session.get(User, user_id, with_for_update=True) if user_id < 2**63 else None
    if user is None or user.deleted_at:
        raise NotFound(_("Tidak ada pengguna ini."), code="no_such_user")
    if user.id == actor.id:
        raise Conflict(
            _("Akun Anda sendiri hanya bisa diubah oleh admin lain."), code="own_account"
        )
    return user
