"""Units as the campus looks after them: making one, adding members, the whole list."""

from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import case, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myukm.database import write
from myukm.domain import audit
from myukm.domain.chat import ukm_log, ukm_state
from myukm.domain.chat.ukm import CODE, enter, is_archived, membership, refuse_archived
from myukm.domain.chat.ukm_desk import Officer, take
from myukm.domain.people.accounts import find, rights_changed
from myukm.domain.people.codes import new_code
from myukm.domain.texts import clean, clean_line, is_blank
from myukm.errors import Conflict, Invalid, NotFound
from myukm.extensions import db
from myukm.models import Membership, Ukm, UkmBlock

MAX_NAME, MAX_DESCRIPTION = 120, 1000


def new_join_code() -> str:
    """Return a join code that nobody can know: never a unit's address."""
    return new_code(groups=2)


class Listed(NamedTuple):
    """A unit in the campus's list."""

    ukm: Ukm
    members: int
    admins: int


def create(
    name: str, code: str, description: str = "", *, by: str, by_id: int | None = None
) -> Ukm:
    """Make a UKM with a fresh join code. Raises `Invalid`, or `Conflict` for a taken code."""
    code = code.strip().upper()
    if not CODE.fullmatch(code):
        raise Invalid(
            _("Kode UKM terdiri dari 2 sampai 32 huruf, angka, dan tanda hubung di antaranya."),
            code="bad_code",
        )
    name, description = checked(name, description)
    try:
        with write() as session:
            ukm = Ukm(code=code, join_code=new_join_code(), name=name, description=description)
            session.add(ukm)
            audit.note(by, "ukm.create", f"{code} {name}")
            session.flush()
            ukm_log.note(ukm.id, by_id, "created", detail=name)
    except IntegrityError:
        raise Conflict(_("Kode %(code)s sudah dipakai.", code=code), code="code_taken") from None
    return ukm


def checked(name: str, description: str) -> tuple[str, str]:
    """Return name and description as they are stored. Raises `Invalid`."""
    name, description = clean_line(name), clean(description)
    if is_blank(name) or len(name) > MAX_NAME:
        raise Invalid(_("Nama harus 1 sampai 120 huruf."), code="bad_name")
    if len(description) > MAX_DESCRIPTION:
        raise Invalid(_("Keterangan paling panjang 1.000 karakter."), code="bad_description")
    return name, description


def everything(*, archived: bool | None = None) -> Sequence[Listed]:
    """Return all units by code, or only the archived ones, or only the others."""
    query = (
        select(
            Ukm,
            func.count(Membership.id),
            func.count(case((Membership.is_admin, Membership.id))),
        )
        .outerjoin(Membership, Membership.ukm_id == Ukm.id)
        .group_by(Ukm.id)
        .order_by(Ukm.code)
    )
    if archived is not None:
        query = query.where(is_archived(archived))
    return [Listed(*row) for row in db.session.execute(query)]


def add(code: str, nim: str, *, is_admin: bool = False, by: str, by_id: int | None = None) -> None:
    """Make the account `nim` a member of the UKM `code`, or a plain member its admin.

    A block is lifted by it. Raises `NotFound`, and `Conflict` when it is that already.
    """
    officer, user = Officer(by_id, by, campus=True), find(nim)
    with write() as session:
        already = _membership(code.strip().upper(), user.id)
        unit = take(officer, code.strip().upper())
        if already and is_admin and not already.is_admin:
            already.is_admin = True
            ukm_log.note(unit.id, by_id, "promoted", person_id=user.id)
            ukm_state.tell_membership(unit, already, "promoted")
        else:
            refuse_archived(unit)
            _lift_block(session, unit.id, user.id)
            enter(session, unit.id, user.id, is_admin=is_admin, by=by_id)
        audit.note(by, "ukm.admin" if is_admin else "ukm.add", f"{unit.code} {user.nim}")
    rights_changed()


def _membership(code: str, user_id: int) -> Membership | None:
    """Return the membership, locked before its unit is (as posting does), if there is one."""
    try:
        return membership(user_id, code, lock=True)
    except NotFound:
        return None


def _lift_block(session: Session, ukm_id: int, user_id: int) -> None:
    if blocked := session.get(UkmBlock, (ukm_id, user_id)):
        session.delete(blocked)
