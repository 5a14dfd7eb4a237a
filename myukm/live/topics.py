"""Names of topics: one per UKM, one per account, and one that makes the hubs, which write the
streams of a web process, check rights again."""

from collections.abc import Iterable

from myukm.db.session import on_commit
from myukm.live import pubsub

# The fields of a `LoggedEvent`: number, topic, type, data. No stream gets this event: it makes hubs
# check rights again.
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
    """Return the id of the account whose personal topic is among `topics`."""
    return next(int(topic[5:]) for topic in topics if topic.startswith("user:"))
