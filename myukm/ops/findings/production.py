"""Checks of a production installation: a secret that can be guessed, accounts of the demo."""

from collections.abc import Iterator
from functools import cache

from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from myukm.domain.accounts.passwords import verify
from myukm.extensions import db
from myukm.models import User
from myukm.ops.findings import BROKEN, Finding

# Of a million keys of 32 random hexadecimal digits, not even one has fewer different digits.
MIN_DIFFERENT_CHARACTERS = 8
# The staff accounts of the demo, which prints their passwords.
DEMO_NIMS = ("1001", "1002", "1003")


def weak_secret() -> Iterator[Finding]:
    """A `SECRET_KEY` of few different characters: whoever guesses it can forge sessions."""
    if _in_production() and len(set(current_app.config["SECRET_KEY"])) < MIN_DIFFERENT_CHARACTERS:
        yield Finding(
            "weak_secret",
            BROKEN,
            _("SECRET_KEY mudah ditebak: siapa pun yang menebaknya bisa memalsukan sesi."),
            _(
                "Buat yang acak: %(command)s, lalu jalankan ulang web dan worker.",
                command="python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
            ),
        )


def demo_accounts() -> Iterator[Finding]:
    """Staff accounts of the demo with the passwords that the demo prints."""
    if not _in_production():
        return
    query = select(User.nim, User.role, User.password_hash).where(User.nim.in_(DEMO_NIMS))
    rows = db.session.execute(query)
    known = [row.nim for row in rows if _is_demo_password(row.password_hash, row.role)]
    if known:
        yield Finding(
            "demo_accounts",
            BROKEN,
            _(
                "Akun demo masih ada, dengan kata sandi yang diketahui siapa pun: %(nims)s.",
                nims=", ".join(known),
            ),
            _(
                "Ganti kata sandinya: %(command)s",
                command=f"./run user password --nim {known[0]}",
            ),
            extent=len(known),
        )


def _in_production() -> bool:
    return bool(current_app.config["MYUKM_ENV"] == "production")


@cache
def _is_demo_password(password_hash: str | None, role: str) -> bool:
    return verify(password_hash, f"demo-{role}")
