"""The directory of listed UKMs, and a UKM's entry in it."""

from datetime import datetime
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import Row, and_, false, func, or_, select

from myukm.db.session import transaction
from myukm.db.types import to_iso8601
from myukm.domain import activity
from myukm.domain.actor import Actor
from myukm.domain.paging import Page, paginate_rows
from myukm.domain.text_normalization import clean_line, is_blank
from myukm.domain.ukm.authorization import authorize_and_lock
from myukm.domain.ukm.join_requests import again_at
from myukm.domain.ukm.memberships import check_not_archived, is_archived
from myukm.errors import Invalid
from myukm.models import JoinRequest, Membership, Ukm
from myukm.models.siswa import SEARCH_LENGTH, fold
from myukm.models.ukm import MAX_INTRO

MAX_WORDS = 8


class Entry(NamedTuple):
    """A UKM in the directory for one person; `state` is "member", "asked", "refused" or "none"."""

    code: str
    name: str
    intro: str
    members: int
    state: str
    again_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return the entry as JSON; `again_at` is when a refused person may ask again."""
        return {**self._asdict(), "again_at": to_iso8601(self.again_at)}


def describe(actor: Actor, code: str, intro: str, *, listed: bool) -> Ukm:
    """List the UKM in the directory with an introduction of 1 to 200 characters, or unlist it.

    Raises `NotFound`, `Forbidden`, `Invalid`, or `Conflict` if the UKM is archived.
    """
    intro = clean_line(intro)
    if len(intro) > MAX_INTRO or (listed and is_blank(intro)):
        raise Invalid(_("Tulis keterangan singkat, 1 sampai 200 karakter."), code="bad_intro")
    with transaction():
        ukm = authorize_and_lock(actor, code)
        check_not_archived(ukm)
        if ukm.is_listed != listed:
            verb = "listed" if listed else "unlisted"
            activity.record_in_ukm(ukm.id, actor.user_id, verb)
        ukm.is_listed, ukm.intro = listed, intro
    return ukm


def search(user_id: int, q: str = "", page: int = 1) -> Page[Entry]:
    """Return a page of listed UKMs, by name, whose name, code or introduction contains each of the
    first eight words of `q`. UKMs that the person asked to join are included even if they are not
    listed any more."""
    own = and_(JoinRequest.ukm_id == Ukm.id, JoinRequest.user_id == user_id)
    asked = and_(JoinRequest.user_id.is_not(None), JoinRequest.refused_at.is_(None))
    size = select(func.count()).where(Membership.ukm_id == Ukm.id).correlate(Ukm)
    is_mine = select(1).where(Membership.ukm_id == Ukm.id, Membership.user_id == user_id)
    query = (
        select(
            Ukm.code,
            Ukm.name,
            Ukm.intro,
            size.scalar_subquery().label("members"),
            is_mine.correlate(Ukm).exists().label("is_mine"),
            asked.label("asked"),
            JoinRequest.refused_at,
        )
        .outerjoin(JoinRequest, own)
        .where(is_archived(False), or_(Ukm.is_listed, asked))
        .order_by(Ukm.search_text, Ukm.id)
    )
    for word in fold(q).split()[:MAX_WORDS]:
        fits = len(word) <= SEARCH_LENGTH
        query = query.where(Ukm.search_text.contains(word, autoescape=True) if fits else false())
    found = paginate_rows(query, page)
    return Page([_entry(row) for row in found.items], found.page, found.pages, found.total)


def _entry(row: Row[Any]) -> Entry:
    until = again_at(row.refused_at)
    state = "refused" if until else "none"
    if row.is_mine or row.asked:
        state = "member" if row.is_mine else "asked"
    return Entry(row.code, row.name, row.intro, row.members, state, until)
