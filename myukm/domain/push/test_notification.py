"""The test notification that a person requests for their browser."""

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.push import outbox, subscriptions


def send(login: str) -> None:
    """Store the delivery for the browser of this log-in. Raises `Conflict` if not subscribed."""
    browser = subscriptions.require(login)
    ref = round(utcnow().timestamp() * 1000)
    with transaction() as session:
        outbox.put(session, [outbox.Delivery(browser.id, "test", outbox.TEST, ref)])
