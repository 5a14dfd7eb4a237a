"""How much of a UKM its members have not read: the marker, the counts, and telling them."""

import logging
from typing import Any, cast

from flask_babel import lazy_gettext as _
from redis.exceptions import RedisError
from sqlalchemy import Select, select, update

from myukm.database import count_changed, is_id, write
from myukm.domain.rights import mine
from myukm.errors import Invalid
from myukm.extensions import db, valkey
from myukm.live import wake
from myukm.models import ChatMessage, Membership, Ukm

WAITING, PAUSE_MILLISECONDS, AT_ONCE = "myukm:chat:unread", 1000, 100

log = logging.getLogger(__name__)


def counts(user_id: int) -> list[dict[str, Any]]:
    """Return `{"ukm", "count", "notices"}` for each UKM of the account."""
    query = _every().where(Membership.user_id == user_id)
    return [_count(code, count, told) for _user, code, count, told in db.session.execute(query)]


def _every() -> Select[int, str, int, str]:
    """Return the query for (user_id, code, unread, notices) of all memberships."""
    unread = Ukm.last_number - Membership.read_number
    return select(Membership.user_id, Ukm.code, unread, Membership.notices).join_from(
        Membership, Ukm
    )


def _count(code: str, count: int, notices: str) -> dict[str, Any]:
    return {"ukm": code, "count": count, "notices": notices}


def mark_read(place: Membership, last_id: Any) -> None:
    """Move the read marker forward to the message `last_id`. Raises `Invalid` for a strange id."""
    query = select(ChatMessage.number).where(
        ChatMessage.ukm_id == place.ukm_id, ChatMessage.id == last_id
    )
    number = db.session.scalar(query) if is_id(last_id) else None
    if number is None:
        raise Invalid(_("last_id bukan pesan UKM ini."), code="bad_last_id")
    with write() as session:
        moved = count_changed(
            session,
            update(Membership)
            .where(Membership.id == place.id, Membership.read_number < number)
            .values(read_number=number),
        )
    if moved:
        tell(place.ukm_id, place.user_id)


def tell_soon(ukm_id: int) -> None:
    """Tell a UKM's unread counts now, or at the leader's next look if they were told just now.

    They go to every member one by one: in a burst, once a second must do.
    """
    try:
        if valkey().set(f"myukm:chat:unread:{ukm_id}", b"1", nx=True, px=PAUSE_MILLISECONDS):
            tell(ukm_id)
        else:
            valkey().sadd(WAITING, ukm_id)
    except RedisError as error:
        log.info("chat: no unread counts, Valkey is away: %s", error)


def tell_waiting() -> None:
    """The leader's duty: tell the unread counts that waited for the end of a burst."""
    for ukm_id in cast(list[bytes], valkey().spop(WAITING, AT_ONCE)):
        tell(int(ukm_id))


def tell(ukm_id: int, user_id: int | None = None) -> None:
    """Tell the members of a UKM (or one of them) how many unread messages they have there."""
    query = _every().where(Membership.ukm_id == ukm_id)
    if user_id is not None:
        query = query.where(Membership.user_id == user_id)
    wake.tell_all(
        (mine(member), "unread", _count(code, count, notices))
        for member, code, count, notices in db.session.execute(query)
    )
