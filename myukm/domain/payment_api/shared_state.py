"""The shared state of the payment API, as expiring Valkey keys, so that no clocks have to agree."""

from datetime import timedelta
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from redis.exceptions import RedisError

from myukm.db.types import utcnow
from myukm.domain.payment_api.gate import PROBE_SECONDS, SharedState, Update
from myukm.extensions import valkey
from myukm.sentences import lazy_clock

WAIT = "myukm:api:wait"  # expires with Retry-After
DOWN = "myukm:api:down"  # why the API counts as down (`Gate.cause`)
PROBE = "myukm:api:probe"  # a probe was sent; no other worker sends one until it expires
SLOW = "myukm:api:slow"  # "requests in flight/seconds without an answer" of a worker
SLOT = "myukm:api:slot"  # see RESERVE_SCRIPT
DOWN_SECONDS, SLOW_SECONDS = 15.0, 2.0

# SLOT is the time of the next free slot, in µs of Valkey's clock. A reservation returns the µs
# until this time and moves it on by its width. If the clock was set back, the next free slot is
# now.
RESERVE_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local free = tonumber(redis.call('GET', KEYS[1]) or 0)
local width = tonumber(ARGV[1])
if free < now or free > now + width * 1000 then free = now end
local after = free + width
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return free - now
"""


# Never shortens a wait, because several workers may be told different times at once.
EXTEND_SCRIPT = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], 1, 'PX', ARGV[1])
end
"""


class Reason(NamedTuple):
    """A reason for waiting: a code for scripts and a lazy sentence for people."""

    code: str
    text: Any


def exchange(update: Update) -> SharedState | None:
    """Store `update` for the other workers and return the shared state; None without Valkey."""
    client = valkey()
    try:
        with client.pipeline(transaction=False) as pipe:
            if update.wait:
                pipe.eval(EXTEND_SCRIPT, 1, WAIT, _ms(update.wait))
            if update.opened:
                pipe.set(DOWN, update.opened, px=_ms(DOWN_SECONDS))
            elif update.closed:
                pipe.delete(DOWN)
            elif update.is_open:
                pipe.pexpire(DOWN, _ms(DOWN_SECONDS))
            if update.slow:
                pipe.set(SLOW, "{}/{}".format(*update.slow), px=_ms(SLOW_SECONDS))
            pipe.pttl(WAIT)
            pipe.exists(DOWN)
            wait, down = pipe.execute()[-2:]
        probe = update.probe and client.set(PROBE, 1, nx=True, px=_ms(PROBE_SECONDS))
        slot = client.eval(RESERVE_SCRIPT, 1, SLOT, update.width) if update.slots else 0
    except RedisError:
        return None
    return SharedState(max(0, wait) / 1000, bool(down), bool(probe), int(slot) / 1e6)


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))


def wait_reason() -> Reason | None:
    """Return why no answers come from the payment API now, or that Valkey is unreachable."""
    try:
        with valkey().pipeline(transaction=False) as pipe:
            pipe.get(DOWN)
            pipe.pttl(WAIT)
            pipe.get(SLOW)
            down, wait, slow = pipe.execute()
    except RedisError:
        return valkey_down_reason()
    if down:
        return Reason("api_down", _down_text(down.decode()))
    if wait > 0:
        until = lazy_clock(utcnow() + timedelta(milliseconds=wait))
        return Reason("api_wait", _("menunggu API pembayaran sampai %(time)s", time=until))
    if slow:
        requests, seconds = slow.decode().split("/")
        text = _(
            "menunggu jawaban API pembayaran (%(requests)s permintaan, %(seconds)s detik)",
            requests=requests,
            seconds=seconds,
        )
        return Reason("api_slow", text)
    return None


def _down_text(cause: str) -> LazyString:
    """Return the sentence for the cause that opened the breaker (see `Gate.cause`)."""
    kind, _blank, numbers = cause.partition(" ")
    if kind != "errors":
        return _("API pembayaran tidak menjawab; dicoba lagi tiap 5 detik")
    failed, asked = numbers.split("/")
    return _(
        "API pembayaran menjawab galat untuk %(failed)s dari %(asked)s siswa terakhir; "
        "dicoba lagi tiap 5 detik",
        failed=failed,
        asked=asked,
    )


def valkey_down_reason() -> Reason:
    """Return the reason for waiting for Valkey."""
    return Reason("valkey_unreachable", _("Valkey tidak menjawab; antrian menunggunya"))
