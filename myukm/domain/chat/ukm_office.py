"""Units as the campus looks after them: making one, adding members, the whole list."""

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from myukm.database import write
from myukm.domain import audit
from myukm.domain.chat.ukm import CODE, enter
from myukm.domain.people.accounts import find, rights_changed
from myukm.domain.texts import clean, clean_line, is_blank
from myukm.errors import Conflict, Invalid, NotFound
from myukm.extensions import db
from myukm.models import Membership, Ukm

MAX_NAME, MAX_DESCRIPTION = 120, 1000


def create(name: str, code: str, description: str = "", *, by: str) -> Ukm:
    """Make a UKM whose join code is its code. Raises `Invalid`, or `Conflict` for a taken code."""
    name, code, description = clean_line(name), code.strip().upper(), clean(description)
    _check(name, code, description)
    try:
        with write() as session:
            ukm = Ukm(code=code, join_code=code, name=name, description=description)
            session.add(ukm)
            audit.note(by, "ukm.create", f"{code} {name}")
            session.flush()
    except IntegrityError:
        raise Conflict(_("Kode %(code)s sudah dipakai.", code=code), code="code_taken") from None
    return ukm


def _check(name: str, code: str, description: str) -> None:
    if not CODE.fullmatch(code):
        raise Invalid(
            _("Kode UKM terdiri dari 2 sampai 32 huruf, angka, dan tanda hubung di antaranya."),
            code="bad_code",
        )
    if is_blank(name) or len(name) > MAX_NAME:
        raise Invalid(_("Nama harus 1 sampai 120 huruf."), code="bad_name")
    if len(description) > MAX_DESCRIPTION:
        raise Invalid(_("Keterangan paling panjang 1.000 karakter."), code="bad_description")


def everything() -> list[tuple[Ukm, int]]:
    """Return all UKMs by code, each with the number of its members."""
    size = select(func.count()).where(Membership.ukm_id == Ukm.id).correlate(Ukm)
    query = select(Ukm, size.scalar_subquery()).order_by(Ukm.code)
    return [(ukm, count) for ukm, count in db.session.execute(query)]


def add(code: str, nim: str, *, is_admin: bool = False, by: str) -> None:
    """Make the account `nim` a member of the UKM `code`, or a plain member its admin.

    Raises `NotFound`, and `Conflict` when it is that already.
    """
    known = db.session.scalar(select(Ukm).where(Ukm.code == code.strip().upper()))
    if known is None:
        raise NotFound(_("Tidak ada UKM dengan kode %(code)s.", code=code), code="no_such_ukm")
    user = find(nim)
    with write() as session:
        already = session.scalar(select(Membership).filter_by(ukm_id=known.id, user_id=user.id))
        if already and is_admin and not already.is_admin:
            already.is_admin = True
        else:
            enter(session, known.id, user.id, is_admin=is_admin)
        audit.note(by, "ukm.admin" if is_admin else "ukm.add", f"{known.code} {user.nim}")
    rights_changed()
