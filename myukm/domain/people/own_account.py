"""What people do with their own account: a new password, out of every device."""

from flask_babel import lazy_gettext as _

from myukm.database import write
from myukm.domain import audit
from myukm.domain.people import accounts
from myukm.domain.people.account_rules import MAX_PASSWORD, check_password
from myukm.domain.people.passwords import hash_password, matches
from myukm.errors import Forbidden
from myukm.models import User


def change_password(user: User, login: str, old: str, new: str) -> None:
    """Change one's own password; other devices are logged out, the log-in `login` stays.

    Raises `Forbidden` when `old` is not the present one, `Invalid` for a new one that can't be.
    """
    check_password(new, user.nim, user.name)
    confirm(user, old)
    hashed = hash_password(new)
    with write():
        if not accounts.is_unchanged(user.id, user.password_hash):
            raise wrong_password()
        accounts.store_password(user.id, hashed, keep=login)
        audit.note(user.name, "user.password", f"{user.nim} {user.name}")
    accounts.rights_changed()


def confirm(user: User, password: str) -> None:
    """Raise `Forbidden` unless it is the account's password: a cookie alone may be stolen."""
    if not matches(user.password_hash, password[: MAX_PASSWORD + 1]):
        raise wrong_password()


def wrong_password() -> Forbidden:
    """Return the answer to a password that is not the account's."""
    return Forbidden(_("Kata sandi Anda salah."), code="wrong_password")


def log_out_everywhere(user: User) -> None:
    """End all log-ins of an account, this one too."""
    with write():
        accounts.end_sessions(user.id)
        audit.note(user.name, "user.logout", f"{user.nim} {user.name}")
    accounts.rights_changed()
