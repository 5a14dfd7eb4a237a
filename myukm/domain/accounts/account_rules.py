"""Validation of an account's NIM, name, role and password."""

import re
import unicodedata
from functools import cache
from typing import Any

from flask_babel import lazy_gettext as _

from myukm.domain.text_normalization import clean_line, is_blank
from myukm.errors import Invalid
from myukm.models import Role

MIN_PASSWORD, MAX_PASSWORD = 10, 200
MAX_NAME = 120
# Printable ASCII only, so that no two NIMs look the same.
NIM = re.compile(r"[!-~]{1,32}")


def normal_nim(nim: str) -> str:
    """Return a typed NIM in stored form: trimmed, full-width digits as plain digits."""
    return unicodedata.normalize("NFKC", nim).strip()


def checked_person(nim: str, name: str, role: str) -> tuple[str, str]:
    """Return NIM and name in stored form. Raises `Invalid`, also for an unknown role."""
    nim, name = normal_nim(nim), clean_line(name)
    if not NIM.fullmatch(nim):
        raise Invalid(_("NIM harus 1 sampai 32 huruf atau angka tanpa spasi."), code="bad_nim")
    if is_blank(name) or len(name) > MAX_NAME:
        raise Invalid(_("Nama harus 1 sampai 120 huruf."), code="bad_name")
    check_role(role)
    return nim, name


def check_role(role: str) -> None:
    """Raise `Invalid` for an unknown role."""
    if role not in list(Role):
        allowed = ", ".join(Role)
        raise Invalid(_("Peran harus salah satu dari: %(roles)s.", roles=allowed), code="bad_role")


def check_password(password: str, nim: str, name: str) -> None:
    """Raise `Invalid` for a password that is too short, too long, or easy to guess."""
    if why := _fault(password, nim, name):
        raise Invalid(why, code="bad_password")


def _fault(password: str, nim: str, name: str) -> Any:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        low, high = MIN_PASSWORD, MAX_PASSWORD
        return _("Kata sandi harus %(low)d sampai %(high)d karakter.", low=low, high=high)
    if any(unicodedata.category(c) == "Cs" for c in password):
        return _("Isian ini tidak bisa disimpan.")  # invalid bytes from a command line
    if password.casefold() in common_passwords():
        return _("Kata sandi ini dipakai banyak orang, jadi mudah ditebak. Pilih yang lain.")
    if _bare(password) in (_bare(nim), _bare(name)):
        return _("Kata sandi tidak boleh sama dengan NIM atau nama.")
    return None


def _bare(text: str) -> str:
    """Return only letters and digits, because a NIM or name with other separators is as easy to
    guess."""
    return "".join(c for c in text.casefold() if c.isalnum())


@cache
def common_passwords() -> frozenset[str]:
    """Return common passwords that have the minimum length.

    Source: the list of the password meter zxcvbn, 30,000 passwords by frequency in leaks.
    """
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= MIN_PASSWORD)
