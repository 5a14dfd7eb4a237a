"""One small question to the payment API now and then; what it answered is kept in Valkey."""

import asyncio
import contextlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from redis.exceptions import RedisError

from myukm.addresses import shown
from myukm.domain.api.failures import Failure, Kind
from myukm.domain.api.payment_api import PaymentApi
from myukm.extensions import valkey
from myukm.i18n import campus_language

KEY = "myukm:probe:api"
KEPT_SECONDS = 120
# The healthy answer is 404; no student's data travels for it.
NOBODY = "myukm-probe"
ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class Probe:
    """What the API at `url` answered: `ok`, or `why` not; `refused` when it is our token."""

    url: str
    ok: bool
    refused: bool
    why: str


def probe() -> Probe:
    """Ask for the payments of nobody (5 s at most), keep the outcome and return it.

    Never from a request: it waits for a server that may be away.
    """
    found = _probe()
    with contextlib.suppress(RedisError):
        valkey().set(KEY, json.dumps(asdict(found)), ex=KEPT_SECONDS)
    return found


def last() -> Probe | None:
    """Return the outcome of a probe of the last two minutes, of whichever process."""
    kept = valkey().get(KEY)
    return Probe(**json.loads(kept)) if kept else None


def _probe() -> Probe:
    address = shown(current_app.config["PEMBAYARAN_API_URL"])
    answer = asyncio.run(_ask())
    if not isinstance(answer, Failure) or not (answer.http or answer.down):
        return Probe(address, True, False, "HTTP 200")
    if answer.code == "timeout":
        return Probe(address, False, False, _no_answer())
    refused = answer.kind in (Kind.UNAUTHORIZED, Kind.FORBIDDEN)
    ok = not refused and 400 <= (answer.http or 0) < 500
    return Probe(address, ok, refused, f"HTTP {answer.http}" if answer.http else answer.detail)


async def _ask() -> Any:
    settings = {**current_app.config, "PEMBAYARAN_API_TIMEOUT": ANSWER_SECONDS}
    async with PaymentApi(settings) as api:
        return await api.payments(NOBODY)


def _no_answer() -> str:
    with campus_language():
        return str(_("tidak ada jawaban dalam %(seconds)g detik", seconds=ANSWER_SECONDS))
