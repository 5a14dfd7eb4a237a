"""The key pair that identifies this installation to push services and browsers (RFC 8292)."""

import time
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from myukm.db.session import transaction
from myukm.extensions import db
from myukm.models import PushKey

ROW, FALLBACK_CONTACT = 1, "mailto:admin@localhost"
# Push services reject signatures that are valid for more than 24 hours.
VALID_SECONDS, RENEW_SECONDS = 12 * 3600, 6 * 3600


class ServerKey:
    """The key pair, and the signatures made with it, one for each push service."""

    def __init__(self, private: str, contact: str) -> None:
        from py_vapid import Vapid02  # here, because only push jobs and one page need it
        from py_vapid.utils import b64urlencode

        self._vapid, self._contact = Vapid02.from_raw(private.encode()), contact
        self.public = str(b64urlencode(_point(self._vapid)))
        self._signed: dict[str, tuple[float, str]] = {}

    def authorization(self, origin: str) -> str:
        """Return the `Authorization` header for the push service at `origin`."""
        renew_at, header = self._signed.get(origin, (0.0, ""))
        if time.monotonic() >= renew_at:
            claims = {
                "aud": origin,
                "sub": self._contact,
                "exp": int(time.time()) + VALID_SECONDS,
            }
            header = str(self._vapid.sign(claims)["Authorization"])
            self._signed[origin] = (time.monotonic() + RENEW_SECONDS, header)
        return header


def server_key() -> ServerKey:
    """Return this installation's key. The first call on any machine makes and stores it."""
    known: dict[str, ServerKey] = current_app.extensions.setdefault("push_key", {})
    if "key" not in known:
        known["key"] = ServerKey(_stored() or _made(), _contact())
    return known["key"]


def _contact() -> str:
    """Return the address at which a push service can reach the operator."""
    config = current_app.config
    public = str(config["PUBLIC_URL"])
    return config["PUSH_CONTACT"] or (public if public.startswith("https:") else FALLBACK_CONTACT)


def _stored() -> str | None:
    return db.session.scalar(select(PushKey.private).where(PushKey.id == ROW))


def _made() -> str:
    """Store a new key and return the stored key: another machine's if that was stored first."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from py_vapid.utils import b64urlencode

    number = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value
    try:
        with transaction() as session:
            session.add(PushKey(id=ROW, private=str(b64urlencode(number.to_bytes(32, "big")))))
    except IntegrityError:
        db.session.rollback()
    return db.session.scalars(select(PushKey.private).where(PushKey.id == ROW)).one()


def _point(vapid: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    return bytes(vapid.public_key.public_bytes(encoding, form))
