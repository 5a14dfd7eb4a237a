"""Names of topics: a UKM's, a user's own, and the one that makes hubs re-check rights."""

from collections.abc import Iterable

from myukm.db.session import on_commit
from myukm.live import pubsub

# Not an event for streams: hubs that receive this message re-check rights.
RIGHTS_CHANGED = (None, "rights", "rights", "null")


def ukm_topic(code: str) -> str:
    """Return the topic that members of a UKM subscribe to."""
    return f"ukm:{code}"


def publish_rights_changed() -> None:
    """Make every stream re-check its rights, once the running `transaction()` has committed.

    Hubs re-check them every 3 to 5 s as well.
    """
    on_commit(pubsub.publish, (RIGHTS_CHANGED,))


def personal_topic(user_id: int) -> str:
    """Return the account's own topic (`me` in the public API)."""
    return f"user:{user_id}"


def owner_of(topics: Iterable[str]) -> int:
    """Return the account whose own topic is one of these."""
    return next(int(topic[5:]) for topic in topics if topic.startswith("user:"))
