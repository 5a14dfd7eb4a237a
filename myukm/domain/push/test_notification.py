"""The test notification that a person requests for their browser."""

from flask_babel import lazy_gettext as _

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.push import outbox, subscriptions
from myukm.errors import Conflict


def send(login: str) -> None:
    """Store the delivery for the browser of this log-in. Raises `Conflict` if not subscribed."""
    browser = subscriptions.find(login)
    if browser is None:
        raise Conflict(_("Pemberitahuan belum aktif di perangkat ini."), code="not_subscribed")
    ref = round(utcnow().timestamp() * 1000)
    with transaction() as session:
        outbox.put(session, [outbox.Delivery(browser.id, "test", outbox.TEST, ref)])
