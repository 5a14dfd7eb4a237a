"""Administration of UKMs by the campus: create one, add members, list all."""

from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import case, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from myukm.db.session import transaction
from myukm.domain import activity
from myukm.domain.accounts.accounts import find
from myukm.domain.accounts.codes import new_code
from myukm.domain.actor import Actor
from myukm.domain.text_normalization import clean, clean_line, is_blank
from myukm.domain.ukm import moderation
from myukm.domain.ukm.authorization import authorize_and_lock
from myukm.domain.ukm.memberships import (
    CODE,
    add_member,
    check_not_archived,
    get_membership,
    is_archived,
)
from myukm.errors import Conflict, Invalid, NotFound
from myukm.extensions import db
from myukm.models import Membership, Ukm, UkmBlock

MAX_NAME, MAX_DESCRIPTION = 120, 1000


def new_join_code() -> str:
    """Return a random join code: two groups of letters and digits."""
    return new_code(groups=2)


class UkmRow(NamedTuple):
    """A UKM in the list for campus admins."""

    ukm: Ukm
    members: int
    admins: int


def create(name: str, code: str, description: str = "", *, by: Actor) -> Ukm:
    """Create a UKM with a random join code. Raises `Invalid`, or `Conflict` if `code` is taken."""
    code = code.strip().upper()
    if not CODE.fullmatch(code):
        raise Invalid(
            _("Kode UKM terdiri dari 2 sampai 32 huruf, angka, dan tanda hubung di antaranya."),
            code="bad_code",
        )
    name, description = validate(name, description)
    try:
        with transaction() as session:
            ukm = Ukm(code=code, join_code=new_join_code(), name=name, description=description)
            session.add(ukm)
            activity.record(by, "ukm.create", f"{code} {name}")
            session.flush()
            activity.record_in_ukm(ukm.id, by.user_id, "created", detail=name)
    except IntegrityError:
        raise Conflict(_("Kode %(code)s sudah dipakai.", code=code), code="code_taken") from None
    return ukm


def validate(name: str, description: str) -> tuple[str, str]:
    """Return name and description in stored form. Raises `Invalid`."""
    name, description = clean_line(name), clean(description)
    if is_blank(name) or len(name) > MAX_NAME:
        raise Invalid(_("Nama harus 1 sampai 120 huruf."), code="bad_name")
    if len(description) > MAX_DESCRIPTION:
        raise Invalid(_("Keterangan paling panjang 1.000 karakter."), code="bad_description")
    return name, description


def list_all(*, archived: bool | None = None) -> Sequence[UkmRow]:
    """Return UKMs ordered by code: all (None), only archived (True) or only active (False)."""
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
    return [UkmRow(*row) for row in db.session.execute(query)]


def add(code: str, nim: str, *, is_admin: bool = False, by: Actor) -> None:
    """Add the account `nim` to the UKM `code`. `is_admin`: as its admin; a member is promoted.

    Removes the account's block from the UKM. Raises `NotFound`, or `Conflict` if nothing would
    change.
    """
    user = find(nim)
    with transaction() as session:
        present = _membership(code.strip().upper(), user.id)
        ukm = authorize_and_lock(by._replace(campus=True), code.strip().upper())
        if present and is_admin and not present.is_admin:
            moderation.make_admin(by, present)
        else:
            check_not_archived(ukm)
            _remove_block(session, ukm.id, user.id)
            add_member(session, ukm.id, user.id, is_admin=is_admin, by=by.user_id)
        activity.record(by, "ukm.admin" if is_admin else "ukm.add", f"{ukm.code} {user.nim}")


def _membership(code: str, user_id: int) -> Membership | None:
    """Lock and return the membership and its UKM, as posting a message does; None for others."""
    try:
        return get_membership(user_id, code, lock=True)
    except NotFound:
        return None


def _remove_block(session: Session, ukm_id: int, user_id: int) -> None:
    if blocked := session.get(UkmBlock, (ukm_id, user_id)):
        session.delete(blocked)
