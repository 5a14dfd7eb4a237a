"""Who is here: connections that expire, a status from them, and who is told when it changes."""

import time
from collections.abc import Iterable

from sqlalchemy import select

from myukm import queues
from myukm.domain.chat import attendance, presence_store
from myukm.domain.chat.broadcast import topic
from myukm.domain.people import accounts
from myukm.extensions import db
from myukm.live import wake
from myukm.models import Membership, Ukm, User

JOB = "myukm.jobs.presence.broadcast_online_status"
KEEP_SECONDS = 15.0
CROWD_MILLISECONDS, TYPING_MILLISECONDS = 1000, 2000


def connect(user_id: int, connection: str) -> None:
    """Note a stream that opened in this process."""
    _here.open.add((user_id, connection))
    _tell_later(presence_store.apply([("open", user_id, connection)]))


def disconnect(user_id: int, connection: str) -> None:
    """Note a stream that ended; the person stays for a grace of 20 s (a page change)."""
    _here.open.discard((user_id, connection))
    _tell_later(presence_store.apply([("close", user_id, connection)]))


def active(user_id: int) -> None:
    """Note that the person did something: for 5 minutes they are not away."""
    _tell_later(presence_store.apply([("input", user_id, "")]))


class _Connections:
    """The open streams of this process: one call for all of them says that they still stand."""

    def __init__(self) -> None:
        self.open: set[tuple[int, str]] = set()
        self._kept = time.monotonic()

    def keep(self) -> None:
        if time.monotonic() - self._kept >= KEEP_SECONDS:
            self._kept = time.monotonic()
            kept = presence_store.apply(("keep", *entry) for entry in tuple(self.open))
            _tell_later(kept)


_here = _Connections()


def keep() -> None:
    """Every process's duty: every 15 s, say that its streams still stand."""
    _here.keep()


def settle() -> None:
    """The leader's duty: see whose grace or attention ended."""
    _tell_later(presence_store.changed_by_time())


def _tell_later(user_ids: Iterable[int]) -> None:
    for user_id in user_ids:
        queues.enqueue(JOB, user_id)


def broadcast(user_id: int) -> str | None:
    """Tell every UKM of the account its status, if that is news; return the status told."""
    told = None
    while (status := presence_store.untold(user_id)) not in (None, told):
        _tell(user_id, status)
        presence_store.note_told(user_id, status)
        told = status
    return told


def _tell(user_id: int, status: str) -> None:
    if status == "offline":
        accounts.seen(user_id)
    user = db.session.get(User, user_id, populate_existing=True)
    if user is None:
        return
    mine = select(Membership.ukm_id).where(Membership.user_id == user_id)
    ukms = db.session.scalars(select(Ukm).where(Ukm.id.in_(mine))).all()
    here = attendance.counts([ukm.id for ukm in ukms])
    wake.tell_all(
        (topic(ukm.code), "presence", attendance.person(ukm, user, status, here[ukm.id]))
        for ukm in ukms
        if _may_tell(ukm.id)
    )


def _may_tell(ukm_id: int) -> bool:
    """A crowd that comes or goes at once is told by one event a second: its count."""
    if not attendance.is_crowd(ukm_id):
        return True
    return presence_store.first_within(CROWD_MILLISECONDS, "presence", ukm_id)


def tell_member(ukm: Ukm, user_id: int, *, gone: bool = False) -> None:
    """Tell a UKM of someone who just joined, or who left and is offline to it from now on."""
    user = db.session.get_one(User, user_id)
    status = "offline" if gone else presence_store.statuses([user_id]).get(user_id, "offline")
    here = attendance.counts([ukm.id])[ukm.id]
    wake.tell(topic(ukm.code), "presence", attendance.person(ukm, user, status, here))


def connections(user_id: int) -> int:
    """Return how many streams the account has open on all web processes (0: Valkey is away)."""
    return presence_store.open_streams(user_id)


def typing(place: Membership) -> None:
    """Tell the UKM that a member is writing: at most every 2 s, and not of who is muted."""
    active(place.user_id)
    person = {"ukm": place.ukm.code, "user_id": place.user_id, "name": place.user.name}
    first = presence_store.first_within(TYPING_MILLISECONDS, "typing", place.id)
    if first and not place.is_muted():
        wake.tell(topic(place.ukm.code), "chat.typing", person)
