"""Sends encrypted notifications to push services (RFC 8030, 8291, 8292)."""

import base64
import hashlib
import json
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import http_ece
import py_vapid  # noqa: F401 (for keys.py: worker.py loads it here, before it forks a job)
import requests
from cryptography.hazmat.primitives.asymmetric import ec

from myukm.domain.push import endpoints
from myukm.domain.push.keys import ServerKey

# Limits for connecting, for each read, and for a whole call of `send`.
CONNECT_SECONDS, READ_SECONDS, MAX_SECONDS = 3.0, 5.0, 10.0
THREADS = 32
TTL_SECONDS = 4 * 3600
MAX_WAIT_SECONDS, MAX_DIGITS = 3600.0, 9  # of Retry-After
DELIVERED, GONE, REFUSED, LATER = "delivered", "gone", "refused", "later"
GONE_STATUSES = (404, 410)
# Not 401, 403 (our key), 400, 413 (the payload), because the same request would fail again.
RETRY_STATUSES = (408, 425, 429)

logger = logging.getLogger(__name__)


class Notification(NamedTuple):
    """A notification for one browser. `static/js/push/service_worker.js` reads the payload."""

    endpoint: str
    p256dh: str
    auth: str
    payload: dict[str, Any]
    urgent: bool


class Outcome(NamedTuple):
    """The result of sending; the push service's Retry-After in seconds, if any; why it failed."""

    verdict: str
    wait: float | None = None
    why: str = ""


def send(key: ServerKey, notifications: Sequence[Notification]) -> list[Outcome]:
    """Send all notifications concurrently and return their outcomes, after at most `MAX_SECONDS`.

    A request that has not ended by then counts as `LATER`. Its thread goes on, because a read from
    a service that keeps sending single bytes cannot be stopped.
    """
    # The setting is read here, because the threads have no app context.
    any_address = endpoints.any_address_allowed()
    pool = ThreadPoolExecutor(THREADS, "push")
    with endpoints.session(THREADS, any_address=any_address) as session:
        calls = [pool.submit(_send, session, key, each) for each in notifications]
        done, _late = wait(calls, timeout=MAX_SECONDS)
        pool.shutdown(wait=False, cancel_futures=True)
    return [call.result() if call in done else Outcome(LATER, why="timeout") for call in calls]


def _send(session: requests.Session, key: ServerKey, notification: Notification) -> Outcome:
    host = urlsplit(notification.endpoint)
    try:
        response = session.post(
            notification.endpoint,
            data=_encrypted(notification),
            headers=_headers(key.authorization(f"{host.scheme}://{host.netloc}"), notification),
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
        )
        response.close()
    except (requests.RequestException, ValueError) as error:
        # Never the error's text: it contains the address, which is a secret.
        logger.info("push: %s not reached: %s", host.hostname, type(error).__name__)
        return Outcome(LATER, why=type(error).__name__)
    return _outcome(response, host.hostname or "")


def _encrypted(notification: Notification) -> bytes:
    text = json.dumps(notification.payload, ensure_ascii=False, separators=(",", ":"))
    encrypted: bytes = http_ece.encrypt(
        text.encode(),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_decoded(notification.p256dh),
        auth_secret=_decoded(notification.auth),
        version="aes128gcm",
    )
    return encrypted


def _decoded(base64url: str) -> bytes:
    return base64.urlsafe_b64decode(base64url + "=" * (-len(base64url) % 4))


def _headers(authorization: str, notification: Notification) -> dict[str, str]:
    digest = hashlib.sha256(notification.payload["tag"].encode()).digest()
    return {
        "Authorization": authorization,
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(TTL_SECONDS),
        "Topic": base64.urlsafe_b64encode(digest[:24]).decode(),
        "Urgency": "high" if notification.urgent else "normal",
    }


def _outcome(response: requests.Response, host: str) -> Outcome:
    status = response.status_code
    if 200 <= status < 300:
        return Outcome(DELIVERED)
    logger.info("push: %s answered %s", host, status)
    if status in GONE_STATUSES:
        return Outcome(GONE)
    if status in RETRY_STATUSES or status >= 500:
        return Outcome(LATER, _retry_after(response), f"HTTP {status}")
    return Outcome(REFUSED, why=f"HTTP {status}")


def _retry_after(response: requests.Response) -> float | None:
    """Return the seconds of the header Retry-After; None if it is missing or not in seconds."""
    text = response.headers.get("Retry-After", "")
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        return None
    return min(max(float(text), 1.0), MAX_WAIT_SECONDS)
