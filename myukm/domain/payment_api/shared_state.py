"""The state of the payment API shared by workers, for readers."""

from datetime import timedelta
from typing import NamedTuple

from flask_babel import format_time
from flask_babel import gettext as _
from redis.exceptions import RedisError

from myukm.db.types import utcnow
from myukm.extensions import valkey

# Set while Retry-After blocks all workers, while the API counts as down, after a probe was sent.
WAIT, DOWN, PROBE = "myukm:api:wait", "myukm:api:down", "myukm:api:probe"


class Reason(NamedTuple):
    """Why something does not move: a code for scripts and a sentence for people."""

    code: str
    text: str


def wait_reason() -> Reason | None:
    """Return why no worker calls the payment API now, or that Valkey is unreachable."""
    try:
        down, wait = bool(valkey().exists(DOWN)), int(valkey().pttl(WAIT))
    except RedisError:
        return valkey_down_reason()
    if down:
        return Reason("api_down", _("API pembayaran tidak menjawab; dicoba lagi tiap 5 detik"))
    if wait > 0:
        until = format_time(utcnow() + timedelta(milliseconds=wait), _("HH.mm.ss"))
        return Reason("api_wait", _("menunggu API pembayaran sampai %(time)s", time=until))
    return None


def valkey_down_reason() -> Reason:
    """Return the reason of everything that waits for Valkey."""
    return Reason("valkey_unreachable", _("Valkey tidak menjawab; antrian menunggunya"))
