"""What the workers tell each other about the payment API, as everybody else reads it."""

from datetime import timedelta
from typing import NamedTuple

from flask_babel import format_time
from flask_babel import gettext as _
from redis.exceptions import RedisError

from myukm.database import utcnow
from myukm.extensions import valkey

# Set while Retry-After holds everybody, while the API counts as down, while a probe was just sent.
WAIT, DOWN, PROBE = "myukm:api:wait", "myukm:api:down", "myukm:api:probe"


class Reason(NamedTuple):
    """Why something does not move: a code for scripts and a sentence for people."""

    code: str
    text: str


def why_waiting() -> Reason | None:
    """Return why no worker asks the payment API now, or that Valkey can't be asked."""
    try:
        down, wait = bool(valkey().exists(DOWN)), int(valkey().pttl(WAIT))
    except RedisError:
        return valkey_away()
    if down:
        return Reason("api_down", _("API pembayaran tidak menjawab; dicoba lagi tiap 5 detik"))
    if wait > 0:
        until = format_time(utcnow() + timedelta(milliseconds=wait), _("HH.mm.ss"))
        return Reason("api_wait", _("menunggu API pembayaran sampai %(time)s", time=until))
    return None


def valkey_away() -> Reason:
    """Return the reason of everything that waits for Valkey."""
    return Reason("valkey_unreachable", _("Valkey tidak menjawab; antrian menunggunya"))
