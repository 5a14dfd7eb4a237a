"""One small question to the payment API now and then; what it answered is kept in Valkey."""

import contextlib
import json
import re
from dataclasses import asdict, dataclass

import requests
from flask import current_app
from flask_babel import gettext as _
from redis.exceptions import RedisError

from myukm.extensions import valkey
from myukm.i18n import campus_language

KEY = "myukm:probe:api"
KEPT_SECONDS = 120
# The healthy answer is 404; no student's data travels for it.
NOBODY = "myukm-probe"
CONNECT_SECONDS, ANSWER_SECONDS = 1.0, 4.0


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
    found = _ask()
    with contextlib.suppress(RedisError):
        valkey().set(KEY, json.dumps(asdict(found)), ex=KEPT_SECONDS)
    return found


def last() -> Probe | None:
    """Return the outcome of a probe of the last two minutes, of whichever process."""
    kept = valkey().get(KEY)
    return Probe(**json.loads(kept)) if kept else None


def _ask() -> Probe:
    url = current_app.config["PEMBAYARAN_API_URL"]
    shown = re.sub(r"//[^@/]*@", "//", url)
    token = current_app.config["PEMBAYARAN_API_TOKEN"]
    try:
        answer = requests.get(
            f"{url}/payments/{NOBODY}",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
            allow_redirects=False,
            stream=True,
        )
    except requests.Timeout:
        return Probe(shown, False, False, _no_answer())
    except requests.RequestException as error:
        return Probe(shown, False, False, type(error).__name__)
    answer.close()
    status = answer.status_code
    refused = status in (401, 403)
    ok = status < 300 or (400 <= status < 500 and not refused)
    return Probe(shown, ok, refused, f"HTTP {status}")


def _no_answer() -> str:
    with campus_language():
        return str(_("tidak ada jawaban dalam %(seconds)g detik", seconds=ANSWER_SECONDS))
