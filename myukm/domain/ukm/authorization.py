"""Authorization of managing a UKM: allowed for its admins and for campus admins.

Functions that authorize a change lock the UKM's row before they check who is an admin, so that
concurrent changes are serialized."""

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from myukm.domain.actor import Actor
from myukm.domain.flood import count_act
from myukm.domain.ukm import memberships
from myukm.errors import Forbidden, NotFound
from myukm.extensions import db
from myukm.models import Membership, Ukm


def authorize_manager(actor: Actor, code: str) -> Ukm:
    """Return the UKM for one of its managers. Raises `NotFound` for strangers, `Forbidden` for
    other members."""
    found = _find(actor, code)
    _check_manager(actor, found)
    return found


def authorize_and_lock(actor: Actor, code: str) -> Ukm:
    """Return the UKM, locked until the commit; call it inside `transaction()`.

    Every change by a manager starts with this call. Raises as `authorize_manager`, and `TooFast`.
    """
    found = _find(actor, code, lock=True)
    _check_manager(actor, found)
    count_act(actor.user_id)
    return found


def lock_member(actor: Actor, code: str, user_id: int) -> Membership:
    """Return a membership, locked with its UKM; call it inside `transaction()`.

    One statement locks both rows, as posting a message does, so that the two cannot deadlock.
    Raises `NotFound`, `Forbidden`, `TooFast`.
    """
    try:
        membership = memberships.get_membership(user_id, code, lock=True)
    except NotFound:
        authorize_manager(actor, code)
        raise NotFound(_("Orang ini bukan anggota UKM ini."), code="no_such_member") from None
    _check_manager(actor, membership.ukm)
    count_act(actor.user_id)
    return membership


def _find(actor: Actor, code: str, *, lock: bool = False) -> Ukm:
    query = select(Ukm).where(Ukm.code == code)
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    found = db.session.scalar(query) if memberships.CODE.fullmatch(code) else None
    if found is None and actor.campus:
        raise NotFound(_("Tidak ada UKM dengan kode %(code)s.", code=code), code="no_such_ukm")
    if found is None:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound(_("UKM ini tidak ada."), code="no_such_ukm")


def _check_manager(actor: Actor, found: Ukm) -> None:
    if actor.campus:
        return
    query = select(Membership.is_admin).where(
        Membership.ukm_id == found.id, Membership.user_id == actor.user_id
    )
    is_admin = db.session.scalar(query)
    if is_admin is None:
        raise _unknown()
    if not is_admin:
        raise Forbidden(_("Hanya pengurus UKM yang boleh melakukan ini."), code="not_ukm_admin")
