"""Settings of a UKM: name, join code, archive."""

from myukm.db.session import on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.actor import Actor
from myukm.domain.ukm import open_requests, unread
from myukm.domain.ukm import state as ukm_state
from myukm.domain.ukm.administration import new_join_code, validate
from myukm.domain.ukm.authorization import authorize_and_lock
from myukm.domain.ukm.memberships import check_not_archived
from myukm.models import Ukm


def edit(actor: Actor, code: str, name: str, description: str) -> Ukm:
    """Change a UKM's name and description.

    Raises `NotFound`, `Forbidden`, `Invalid`, or `Conflict` if it is archived.
    """
    name, description = validate(name, description)
    with transaction():
        ukm = authorize_and_lock(actor, code)
        check_not_archived(ukm)
        if ukm.name != name:
            activity.record_in_ukm(ukm.id, actor.user_id, "renamed", detail=name)
            _audit(actor, "ukm.rename", ukm, name)
        if ukm.description != description:
            activity.record_in_ukm(ukm.id, actor.user_id, "described")
        if (ukm.name, ukm.description) != (name, description):
            ukm.name, ukm.description = name, description
            ukm_state.publish_changed(ukm)
    return ukm


def renew_join_code(actor: Actor, code: str) -> Ukm:
    """Replace a UKM's join code; the old one is void.

    Raises `NotFound`, `Forbidden`.
    """
    with transaction():
        ukm = authorize_and_lock(actor, code)
        ukm.join_code = new_join_code()
        activity.record_in_ukm(ukm.id, actor.user_id, "code_renewed")
        _audit(actor, "ukm.code", ukm)
    return ukm


def archive(actor: Actor, code: str) -> Ukm:
    """Archive a UKM: it becomes read-only and leaves the lists. Idempotent.

    Raises `NotFound`, `Forbidden`.
    """
    with transaction() as session:
        ukm = authorize_and_lock(actor, code)
        if ukm.archived_at is None:
            ukm.archived_at = utcnow()
            open_requests.delete_all(session, ukm)
            _record_archive_change(actor, ukm, "archived")
    return ukm


def unarchive(actor: Actor, code: str) -> Ukm:
    """Unarchive a UKM. Idempotent. Raises `NotFound`, `Forbidden`."""
    with transaction():
        ukm = authorize_and_lock(actor, code)
        if ukm.archived_at:
            ukm.archived_at = None
            _record_archive_change(actor, ukm, "restored")
    return ukm


def _record_archive_change(actor: Actor, ukm: Ukm, change: str) -> None:
    activity.record_in_ukm(ukm.id, actor.user_id, change)
    _audit(actor, f"ukm.{change}", ukm, ukm.name)
    ukm_state.publish_changed(ukm)
    on_commit(unread.publish, ukm.id)


def _audit(actor: Actor, action: str, ukm: Ukm, name: str = "") -> None:
    activity.record(actor, action, f"{ukm.code} {name}".strip())
