"""The member list of a UKM: search by name or NIM, paging, presence status."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, select

from myukm.db.types import to_iso8601, utcnow
from myukm.domain.paging import Page, paginate_rows
from myukm.domain.presence.store import statuses
from myukm.extensions import db
from myukm.models import Membership, Ukm, User
from myukm.models.name_search import name_matches


class Member(NamedTuple):
    """A member as other members see them; `muted_until` is shown to managers only."""

    user_id: int
    name: str
    nim: str
    is_admin: bool
    status: str
    last_seen: datetime | None
    joined_at: datetime
    muted_until: datetime | None

    @property
    def muted(self) -> bool:
        """Whether the member is muted now."""
        return self.muted_until is not None and self.muted_until > utcnow()

    def as_json(self, *, to_manager: bool) -> dict[str, Any]:
        """Return the member as JSON; fields for managers are left out unless `to_manager`."""
        seen = to_iso8601(self.last_seen) if self.status == "offline" else None
        shown = {"user_id": self.user_id, "name": self.name, "is_admin": self.is_admin}
        shown |= {"status": self.status, "last_seen": seen, "joined_at": to_iso8601(self.joined_at)}
        if not to_manager:
            return shown
        muted_until = to_iso8601(self.muted_until) if self.muted else None
        return {**shown, "nim": self.nim, "muted_until": muted_until}


COLUMNS = (
    Membership.user_id,
    User.name,
    User.nim,
    Membership.is_admin,
    User.last_seen_at,
    Membership.joined_at,
    Membership.muted_until,
)


def search(ukm: Ukm, q: str = "", page: int = 1, *, by_nim: bool = False) -> Page[Member]:
    """Return a page of members that match `q` (`name_matches`): admins first, by name.

    `by_nim` searches the NIM as well.
    """
    query = _of(ukm).order_by(Membership.is_admin.desc(), User.name, User.id)
    matching = name_matches(q, User.name, User.nim if by_nim else None)
    found = paginate_rows(query.where(*matching), page)
    status_of = statuses([row.user_id for row in found.items])
    people = [_member(row, status_of.get(row.user_id, "offline")) for row in found.items]
    return Page(people, found.page, found.pages, found.total)


def find(ukm: Ukm, user_id: int) -> Member | None:
    """Return the member, None if the account is not one."""
    row = db.session.execute(_of(ukm).where(Membership.user_id == user_id)).first()
    return _member(row, statuses([user_id]).get(user_id, "offline")) if row else None


def _of(ukm: Ukm) -> Any:
    return select(*COLUMNS).join(User).where(Membership.ukm_id == ukm.id)


def _member(row: Row[Any], status: str) -> Member:
    return Member(
        row.user_id,
        row.name,
        row.nim,
        row.is_admin,
        status,
        row.last_seen_at,
        row.joined_at,
        row.muted_until,
    )
