"""Periodic probe of the payment API; the latest result is stored in Valkey for all processes."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import aiohttp
import msgspec
from flask import Flask, current_app
from flask_babel import lazy_gettext as _
from redis.exceptions import RedisError

from myukm.domain.payment_api.errors import Action, Failure, why
from myukm.domain.payment_api.parser import Answer
from myukm.domain.sync import preflight, progress
from myukm.extensions import valkey
from myukm.logs.redaction import shown
from myukm.sentences import in_each_language

KEY = "myukm:probe:api"
RETENTION_SECONDS = 120
# Most APIs answer 404 to this id, and no personal data is transferred.
UNKNOWN_STUDENT = "myukm-probe"


@dataclass(frozen=True)
class Probe:
    """Result of a probe of `url`: `ok` if the API works, `refused` if it rejected the token, `why`
    what it answered. `translations` has `why` in each language in which it differs."""

    url: str
    ok: bool
    refused: bool
    why: Any
    translations: Mapping[str, Any] = field(default_factory=dict)


def probe() -> Probe:
    """Request the payments of an unknown student (if the API forbids that, of one whom we have),
    store the result and return it.

    Never call it from a web request: it blocks while the API does not answer.
    """
    result = _probe()
    result = replace(result, **in_each_language(why=result.why))
    with contextlib.suppress(RedisError):
        valkey().set(KEY, json.dumps(asdict(result)), ex=RETENTION_SECONDS)
    return result


def probe_unless_known(seconds: float) -> None:
    """Probe if there is no result, except during a run (`PeriodicProbe.run` says why). Waits at
    most `seconds`; a result that comes later is still stored. Raises `RedisError`."""
    if last() is not None or progress.live() is not None:
        return
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(target=_probe_in, args=(app, probe), name="probe", daemon=True)
    thread.start()
    thread.join(seconds)


def _probe_in(app: Flask, probe: Callable[[], object]) -> None:
    with app.app_context():
        probe()


def last() -> Probe | None:
    """Return the latest probe of any process; None if it is older than two minutes, or during a
    run. Raises `RedisError`."""
    stored = valkey().get(KEY)
    return msgspec.json.decode(stored, type=Probe) if stored else None


def _probe() -> Probe:
    address = shown(current_app.config["PEMBAYARAN_API_URL"])
    answer = preflight.request(UNKNOWN_STUDENT)
    if _forbids(answer) and (known := preflight.first_student()):
        # 403 may be the API's answer to any student that it does not know.
        answer = preflight.request(known)
    if not isinstance(answer, Failure) or _has_unreadable_body(answer):
        return Probe(address, True, False, "HTTP 200")
    if answer.code == "timeout":
        seconds = current_app.config["PEMBAYARAN_API_TIMEOUT"]
        text = _("tidak ada jawaban dalam %(seconds)g detik", seconds=seconds)
        return Probe(address, False, False, text)
    refused = answer.action in (Action.UNAUTHORIZED, Action.FORBIDDEN)
    ok = not refused and 400 <= (answer.http or 0) < 500
    return Probe(address, ok, refused, why(answer))


def _has_unreadable_body(failure: Failure) -> bool:
    """Return whether an answer with status 200 came, which is enough for a probe."""
    is_http = failure.detail != aiohttp.ClientResponseError.__name__
    return is_http and not failure.http and not failure.counts_as_outage


def _forbids(answer: Answer) -> bool:
    return isinstance(answer, Failure) and answer.action is Action.FORBIDDEN


PROBE_SECONDS = 30.0


class PeriodicProbe:
    """Runs the probe in a thread, because the API may take seconds to answer."""

    def __init__(self, probe: Callable[[], object] = probe) -> None:
        self._probe = probe
        self._next = 0.0
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Start a probe if the last one has ended and began at least `PROBE_SECONDS` ago.

        During a run none is sent, and the stored result is deleted, because the run's own requests
        show the API's current state, and a probe would spend from its rate budget.
        """
        if time.monotonic() < self._next or (self._thread and self._thread.is_alive()):
            return
        if progress.live() is not None:
            valkey().delete(KEY)
            return
        self._next = time.monotonic() + PROBE_SECONDS
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        arguments = (app, self._probe)
        self._thread = threading.Thread(target=_probe_in, args=arguments, name="probe", daemon=True)
        self._thread.start()
