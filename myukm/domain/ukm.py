"""Student activity units: who belongs to them, joining, leaving."""

import re
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager

from myukm.database import write
from myukm.domain.accounts import find, rights_changed
from myukm.domain.texts import clean, clean_line, is_blank
from myukm.errors import Conflict, Invalid, NotFound
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, Ukm

CODE = re.compile(r"(?=.{2,32}$)[A-Z0-9]+(-[A-Z0-9]+)*")
MAX_NAME, MAX_DESCRIPTION = 120, 1000


class Unit(NamedTuple):
    """A UKM as its member sees it in the list; `last_message` is a message object."""

    id: int
    code: str
    name: str
    description: str
    unread: int
    member_count: int
    last_message: dict[str, Any] | None


def membership(user_id: int, code: str, *, lock: bool = False) -> Membership:
    """Return the account's membership in the UKM `code`, with its `ukm` loaded.

    The one way to a UKM for everyone, whatever the role. `lock` (inside `write()`) keeps others
    from changing the UKM and this membership until the commit. Raises `NotFound` for strangers.
    """
    query = (
        select(Membership)
        .join(Membership.ukm)
        .options(contains_eager(Membership.ukm))
        .where(Ukm.code == code, Membership.user_id == user_id)
    )
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    mine = db.session.scalar(query) if CODE.fullmatch(code) else None
    if mine is None:
        raise NotFound(_("UKM ini tidak ada."), code="no_such_ukm")
    return mine


def mine(user_id: int) -> list[Unit]:
    """Return the UKMs of an account by name, in one query."""
    size = select(func.count()).where(Membership.ukm_id == Ukm.id).correlate(Ukm)
    query = (
        select(Membership, ChatMessage, size.scalar_subquery())
        .join(Membership.ukm)
        .outerjoin(
            ChatMessage,
            (ChatMessage.ukm_id == Ukm.id) & (ChatMessage.number == Ukm.last_number),
        )
        .outerjoin(ChatMessage.user)
        .options(contains_eager(Membership.ukm), contains_eager(ChatMessage.user))
        .where(Membership.user_id == user_id)
        .order_by(Ukm.name)
    )
    return [_unit(*row) for row in db.session.execute(query)]


def _unit(mine: Membership, last: ChatMessage | None, size: int) -> Unit:
    ukm = mine.ukm
    shown = last.as_json() if last else None
    return Unit(ukm.id, ukm.code, ukm.name, ukm.description, mine.unread, size, shown)


def join(user_id: int, join_code: Any) -> Ukm:
    """Make the account a member of the UKM behind `join_code`.

    Raises `NotFound` for an unknown code, `Conflict` for a member.
    """
    wanted = join_code.strip().upper() if isinstance(join_code, str) else ""
    known = (
        db.session.scalar(select(Ukm).where(Ukm.join_code == wanted))
        if CODE.fullmatch(wanted)
        else None
    )
    if known is None:
        raise NotFound(_("Tidak ada UKM dengan kode gabung itu."), code="no_such_code")
    _enter(known.id, user_id, is_admin=False)
    return known


def add(code: str, nim: str, *, is_admin: bool = False) -> None:
    """Make the account `nim` a member of the UKM `code`, or a plain member its admin.

    Raises `NotFound`, and `Conflict` when it is that already.
    """
    ukm = db.session.scalar(select(Ukm).where(Ukm.code == code.strip().upper()))
    if ukm is None:
        raise NotFound(_("Tidak ada UKM dengan kode %(code)s.", code=code), code="no_such_ukm")
    user_id = find(nim).id
    already = db.session.scalar(select(Membership).filter_by(ukm_id=ukm.id, user_id=user_id))
    if already and is_admin and not already.is_admin:
        with write():
            already.is_admin = True
        return
    _enter(ukm.id, user_id, is_admin=is_admin)


def _enter(ukm_id: int, user_id: int, *, is_admin: bool) -> None:
    """Insert the membership; what was said before counts as read."""
    try:
        with write() as session:
            ukm = session.get_one(Ukm, ukm_id, populate_existing=True)
            session.add(
                Membership(
                    ukm_id=ukm_id, user_id=user_id, is_admin=is_admin, read_number=ukm.last_number
                )
            )
    except IntegrityError:
        raise Conflict(_("Sudah menjadi anggota UKM ini."), code="already_member") from None
    rights_changed()


def leave(user_id: int, code: str) -> None:
    """End the account's membership. Raises `NotFound` when there is none."""
    gone = membership(user_id, code)
    with write() as session:
        session.execute(delete(Membership).where(Membership.id == gone.id))
    rights_changed()


def create(name: str, code: str, description: str = "") -> Ukm:
    """Make a UKM whose join code is its code. Raises `Invalid`, or `Conflict` for a taken code."""
    name, code, description = clean_line(name), code.strip().upper(), clean(description)
    _check(name, code, description)
    try:
        with write() as session:
            ukm = Ukm(code=code, join_code=code, name=name, description=description)
            session.add(ukm)
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
