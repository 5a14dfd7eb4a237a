"""Administration of accounts: search, roles, blocking."""

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.accounts import accounts, password_reset, photos
from myukm.domain.accounts.account_rules import check_role
from myukm.domain.actor import Actor
from myukm.domain.paging import Page, paginate
from myukm.errors import Conflict, NotFound
from myukm.extensions import db
from myukm.live import event_log
from myukm.live.topics import personal_topic, publish_rights_changed
from myukm.models import Role, User
from myukm.models.name_search import name_matches

STATUSES = ("active", "blocked")


def search(q: str = "", page: int = 1, role: str = "", status: str = "") -> Page[User]:
    """Return a page of accounts that match `q` (`name_matches`), ordered by name.

    `role` and `status` ("active", "blocked") filter the accounts; "" means all.
    """
    query = select(User).where(User.deleted_at.is_(None)).order_by(User.name, User.id)
    if role:
        query = query.where(User.role == role)
    if status in STATUSES:
        query = query.where(User.blocked_at.is_not(None) == (status == "blocked"))
    return paginate(query.where(*name_matches(q, User.name, User.nim)), page)


def role_of(user_id: int) -> str:
    """Return an account's role, "" if there is no such account."""
    return db.session.scalar(select(User.role).where(User.id == user_id)) or ""


def set_role(actor: Actor, user_id: int, role: str) -> User:
    """Change an account's role.

    Raises `NotFound`, `Invalid`, or `Conflict` for the actor's own account and for the last admin.
    """
    check_role(role)
    with transaction():
        admins = lock_admins()
        user = _account_other_than_self(actor, user_id)
        if user.role != role:
            check_not_last_admin(user, admins)
            activity.record(actor, f"user.role.{role}", f"{user.nim} {user.name}")
            user.role = Role(role)
            publish_rights_changed()
            event_log.append(personal_topic(user.id), "account.role", {"role": role})
    return user


def block(actor: Actor, user_id: int) -> User:
    """Block an account and delete its log-ins. Raises `NotFound`, `Conflict`."""
    with transaction():
        admins = lock_admins()
        user = _account_other_than_self(actor, user_id)
        check_not_last_admin(user, admins)
        accounts.end_sessions(user.id)
        password_reset.void(user.id)
        if not user.blocked_at:
            activity.record(actor, "user.block", f"{user.nim} {user.name}")
            user.blocked_at = utcnow()
    return user


def unblock(actor: Actor, user_id: int) -> User:
    """Unblock an account. Raises `NotFound`, `Conflict`."""
    with transaction():
        user = _account_other_than_self(actor, user_id)
        if user.blocked_at:
            activity.record(actor, "user.unblock", f"{user.nim} {user.name}")
            user.blocked_at = None
    return user


def reset_code(actor: Actor, user_id: int) -> password_reset.Issued:
    """Create a one-time code for a forgotten password. Raises `NotFound`, `Conflict`."""
    with transaction():
        return password_reset.issue(_account_other_than_self(actor, user_id), by=actor)


def remove_photo(actor: Actor, user_id: int) -> User:
    """Delete an account's photo. Raises `NotFound`, `Conflict`."""
    with transaction():
        user = _account_other_than_self(actor, user_id)
        photos.remove(user, by=actor)
    return user


def lock_admins() -> set[int]:
    """Lock all admins who can log in, in the order of their ids, until the commit; return the ids.

    A fixed order, so that concurrent calls cannot deadlock.
    """
    query = select(User.id).where(User.role == Role.ADMIN, User.blocked_at.is_(None))
    return set(db.session.scalars(query.order_by(User.id).with_for_update(key_share=True)))


def check_not_last_admin(user: User, admins: set[int]) -> None:
    """Raise `Conflict` if `user` is the only one of `admins`."""
    if admins == {user.id}:
        raise Conflict(_("Ini admin terakhir. Jadikan orang lain admin dulu."), code="last_admin")


def _account_other_than_self(actor: Actor, user_id: int) -> User:
    """Lock and return the account.

    Raises `NotFound`, or `Conflict` for the actor's own account, so that admins cannot demote or
    block themselves by mistake.
    """
    user = accounts.lock(db.session(), user_id)
    if user is None or user.deleted_at:
        raise NotFound(_("Tidak ada pengguna ini."), code="no_such_user")
    if user.id == actor.user_id:
        raise Conflict(
            _("Akun Anda sendiri hanya bisa diubah oleh admin lain."), code="own_account"
        )
    return user
