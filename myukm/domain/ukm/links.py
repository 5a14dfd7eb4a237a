"""Join links of UKMs: URLs, mostly as QR codes, that let people join until they expire."""

from datetime import timedelta

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, and_, select

from myukm.db.session import transaction
from myukm.db.types import to_iso8601, utcnow
from myukm.domain import activity
from myukm.domain.accounts.codes import new_code
from myukm.domain.actor import Actor
from myukm.domain.ukm import memberships
from myukm.domain.ukm.authorization import authorize_and_lock
from myukm.errors import Invalid, NotFound
from myukm.extensions import db
from myukm.models import Ukm

DAYS = (1, 7, 30, 180)  # how long a link may last


def create_or_extend(actor: Actor, code: str, days: int) -> Ukm:
    """Let the UKM's link last at least `days` (one of `DAYS`) from now; create a new one if it has
    expired. A link that lasts longer keeps its time, because posters may state it.

    A poster stays valid if its link is extended before it expires. An expired poster never becomes
    valid again, because the new link has a new token.
    Raises `NotFound`, `Forbidden`, `Invalid`, `TooFast`, or `Conflict` if the UKM is archived.
    """
    if days not in DAYS:
        raise Invalid(
            _("Pilih berapa lama tautan berlaku: 1, 7, 30, atau 180 hari."), code="bad_days"
        )
    with transaction():
        ukm = authorize_and_lock(actor, code)
        memberships.check_not_archived(ukm)
        wanted = utcnow() + timedelta(days=days)
        if ukm.link_until is None or not ukm.has_link:
            ukm.link_token, ukm.link_until = new_code(groups=4), wanted
        ukm.link_until = max(ukm.link_until, wanted)
        until = to_iso8601(ukm.link_until) or ""
        activity.record_in_ukm(ukm.id, actor.user_id, "link_opened", detail=until)
    return ukm


def revoke(actor: Actor, code: str) -> Ukm:
    """Void the UKM's link, if any. Raises `NotFound`, `Forbidden`, `TooFast`."""
    with transaction():
        ukm = authorize_and_lock(actor, code)
        if ukm.link_token:
            ukm.link_token = ukm.link_until = None
            activity.record_in_ukm(ukm.id, actor.user_id, "link_revoked")
    return ukm


def find(token: str) -> Ukm:
    """Return the UKM of a link. Raises `NotFound` if the link is not valid."""
    query = select(Ukm).where(_has_link(token), memberships.is_archived(False))
    if (found := db.session.scalar(query)) is None:
        raise no_such_link()
    return found


def join(user_id: int, token: str) -> Ukm:
    """Add the account to the UKM of the link. Raises as `memberships.join`."""
    return memberships.join_where(user_id, _has_link(token), no_such_link())


def _has_link(token: str) -> ColumnElement[bool]:
    wanted = token.strip().upper()
    if not memberships.CODE.fullmatch(wanted):
        raise no_such_link()
    return and_(Ukm.link_token == wanted, Ukm.link_until > utcnow())


def no_such_link() -> NotFound:
    """Return the error for a link that is unknown, expired, revoked, or of an archived UKM. The
    same for all, so that it reveals nothing."""
    text = _("Tautan ini tidak berlaku. Minta tautan atau kode gabung kepada pengurus UKM.")
    return NotFound(text, code="no_such_link")
