"""Blocks and unblocks accounts, and publishes the new number of open requests to join to the UKMs
that the account asked to join."""

from myukm.db.session import transaction
from myukm.domain.accounts import administration
from myukm.domain.actor import Actor
from myukm.domain.ukm import open_requests
from myukm.models import User


def block(actor: Actor, user_id: int) -> User:
    """Block an account and delete its log-ins. Raises `NotFound`, `Conflict`."""
    with transaction() as session:
        open_requests.publish_all_of(session, user_id)
        return administration.block(actor, user_id)


def unblock(actor: Actor, user_id: int) -> User:
    """Unblock an account. Raises `NotFound`, `Conflict`."""
    with transaction() as session:
        open_requests.publish_all_of(session, user_id)
        return administration.unblock(actor, user_id)
