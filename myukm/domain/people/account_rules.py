"""What an account's NIM, name, role and password may be."""

import re
import unicodedata

from flask_babel import lazy_gettext as _

from myukm.domain.texts import clean_line, is_blank
from myukm.errors import Invalid
from myukm.models import Role

MIN_PASSWORD, MAX_PASSWORD = 8, 200
MAX_NAME = 120
# Plain letters and digits: two accounts whose NIMs look the same could be mistaken.
NIM = re.compile(r"[!-~]{1,32}")


def normal_nim(nim: str) -> str:
    """Return a typed NIM as accounts have it: no blanks around it, full-width digits as digits."""
    return unicodedata.normalize("NFKC", nim).strip()


def checked_person(nim: str, name: str, role: str) -> tuple[str, str]:
    """Return NIM and name as they are stored. Raises `Invalid` when one can't be an account's."""
    nim, name = normal_nim(nim), clean_line(name)
    if not NIM.fullmatch(nim):
        raise Invalid(_("NIM harus 1 sampai 32 huruf atau angka tanpa spasi."), code="bad_nim")
    if is_blank(name) or len(name) > MAX_NAME:
        raise Invalid(_("Nama harus 1 sampai 120 huruf."), code="bad_name")
    check_role(role)
    return nim, name


def check_role(role: str) -> None:
    """Raise `Invalid` for what is no role."""
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
