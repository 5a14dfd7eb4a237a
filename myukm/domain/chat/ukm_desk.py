"""Who looks after a unit: its admins, and admins of the campus; and what they take in hand.

Two that act at the same moment act one after the other: everything here locks the unit's row,
and reads who is an admin only then.
"""

from typing import NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from myukm.domain.chat import ukm
from myukm.domain.flood import count_act
from myukm.errors import Forbidden, NotFound
from myukm.extensions import db
from myukm.models import Membership, Ukm


class Officer(NamedTuple):
    """Who acts; `campus`: as an admin of the campus, who need not be a member.

    No `user_id`: the campus's command line.
    """

    user_id: int | None
    name: str
    campus: bool = False


def visit(officer: Officer, code: str) -> Ukm:
    """Return the unit for reading. Raises `NotFound` for strangers, `Forbidden` for members."""
    found = _find(officer, code)
    _check(officer, found)
    return found


def take(officer: Officer, code: str) -> Ukm:
    """Return the unit, locked until the commit; call it inside `write()`.

    The one way to every change of an officer. Raises as `visit`, and `TooFast`.
    """
    found = _find(officer, code, lock=True)
    _check(officer, found)
    count_act(officer.user_id)
    return found


def take_member(officer: Officer, code: str, user_id: int) -> Membership:
    """Return a member of the unit, both locked; call it inside `write()`.

    The person's membership is locked with its unit by one statement, as posting does, so that
    the two never wait for each other. Raises `NotFound`, `Forbidden`, `TooFast`.
    """
    try:
        place = ukm.membership(user_id, code, lock=True)
    except NotFound:
        visit(officer, code)
        raise NotFound(_("Orang ini bukan anggota UKM ini."), code="no_such_member") from None
    _check(officer, place.ukm)
    count_act(officer.user_id)
    return place


def _find(officer: Officer, code: str, *, lock: bool = False) -> Ukm:
    query = select(Ukm).where(Ukm.code == code)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = db.session.scalar(query) if ukm.CODE.fullmatch(code) else None
    if found is None and officer.campus:
        raise NotFound(_("Tidak ada UKM dengan kode %(code)s.", code=code), code="no_such_ukm")
    if found is None:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound(_("UKM ini tidak ada."), code="no_such_ukm")


def _check(officer: Officer, found: Ukm) -> None:
    if officer.campus:
        return
    query = select(Membership.is_admin).where(
        Membership.ukm_id == found.id, Membership.user_id == officer.user_id
    )
    is_admin = db.session.scalar(query)
    if is_admin is None:
        raise _unknown()
    if not is_admin:
        raise Forbidden(_("Hanya pengurus UKM yang boleh melakukan ini."), code="not_ukm_admin")
