"""A user's own account: change the password, log out everywhere."""

from flask_babel import lazy_gettext as _

from myukm.db.session import transaction
from myukm.domain import activity
from myukm.domain.accounts import accounts
from myukm.domain.accounts.account_rules import MAX_PASSWORD, check_password
from myukm.domain.accounts.passwords import hash_password, verify
from myukm.domain.actor import Actor
from myukm.errors import Forbidden
from myukm.models import User


def change_password(user: User, login: str, old: str, new: str) -> None:
    """Change a user's own password and delete all log-ins but the one with the token hash `login`.

    Raises `Forbidden` if `old` is wrong, `Invalid` if `new` is not acceptable.
    """
    check_password(new, user.nim, user.name)
    require_password(user, old)
    hashed = hash_password(new)
    with transaction():
        if not accounts.is_unchanged(user.id, user.password_hash):
            raise wrong_password()
        accounts.store_password(user.id, hashed, keep=login)
        activity.record(Actor.of(user), "user.password", f"{user.nim} {user.name}")


def require_password(user: User, password: str) -> None:
    """Raise `Forbidden` for a wrong password. A cookie is not enough, because it may be stolen."""
    if not verify(user.password_hash, password[: MAX_PASSWORD + 1]):
        raise wrong_password()


def wrong_password() -> Forbidden:
    """Return the error for a user who mistyped their own password."""
    return Forbidden(_("Kata sandi Anda salah."), code="wrong_password")


def log_out_everywhere(user: User) -> None:
    """Delete all log-ins of an account, including the current one."""
    with transaction():
        accounts.end_sessions(user.id)
        activity.record(Actor.of(user), "user.logout", f"{user.nim} {user.name}")
