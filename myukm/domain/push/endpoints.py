"""Which push addresses the server may call. Browsers send them, so anybody can name any address.

An address is checked when a browser subscribes, and again at each connection, because the host name
may resolve to another IP address by then.
"""

import base64
import binascii
import ipaddress
import socket
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from flask import current_app
from flask_babel import lazy_gettext as _
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import create_connection

from myukm.errors import Invalid

MAX_ENDPOINT = 2000  # characters
POINT_BYTES, AUTH_BYTES = 65, 16
# Addresses that Python 3.11 calls global although a private address may be behind them.
NOT_PUBLIC = [
    ipaddress.ip_network(net)
    for net in (
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64 of one network
        "2002::/16",  # 6to4
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "fec0::/10",  # site-local
    )
]


def check_endpoint(endpoint: str) -> None:
    """Raise `Invalid` unless `endpoint` is an https URL whose host is not obviously private.

    Another port than 443, user information, and more than `MAX_ENDPOINT` characters are refused.
    """
    if any_address_allowed():
        return
    try:
        parts = urlsplit(endpoint)
        allowed = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
        allowed = allowed and parts.port in (None, 443) and not _names_private(str(parts.hostname))
    except ValueError:
        allowed = False
    if not allowed or len(endpoint) > MAX_ENDPOINT:
        raise Invalid(_("Alamat layanan push ini tidak diterima."), code="bad_endpoint")


def check_keys(p256dh: str, auth: str) -> None:
    """Raise `Invalid` unless these are a browser's public key and secret."""
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        point, secret = _decoded(p256dh), _decoded(auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (ValueError, binascii.Error):
        point = secret = b""
    if len(secret) != AUTH_BYTES or len(point) != POINT_BYTES:
        raise Invalid(_("Kunci langganan push ini tidak sah."), code="bad_keys")


def any_address_allowed() -> bool:
    """Return whether the setting for development and tests allows any address."""
    return bool(current_app.config["PUSH_ENDPOINTS"] == "any")


def session(connections: int, *, any_address: bool) -> requests.Session:
    """Return an HTTP session that connects to public addresses only, without the environment's
    proxies and `.netrc`. `connections`: how many threads may use it at once."""
    made = requests.Session()
    made.trust_env = False
    adapter = HTTPAdapter(pool_maxsize=connections, max_retries=0)
    if not any_address:
        adapter.poolmanager.pool_classes_by_scheme = {"http": _NoPool, "https": _PublicPool}
    for scheme in ("http://", "https://"):
        made.mount(scheme, adapter)
    return made


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _names_private(host: str) -> bool:
    """Return whether a host is a private IP address, or a name of this machine or network."""
    try:
        return not is_public(host)
    except ValueError:
        return host.rstrip(".").lower() == "localhost" or "." not in host


def is_public(address: str) -> bool:
    """Return whether an IP address is public. Raises ValueError if it is no IP address."""
    found = ipaddress.ip_address(address.partition("%")[0])
    behind = any(found in net for net in NOT_PUBLIC)
    return found.is_global and not found.is_multicast and not behind


class _PublicConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        """Connect to the checked addresses, because a second look-up could return others."""
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, 0, socket.SOCK_STREAM)
            if not all(is_public(str(entry[4][0])) for entry in found):
                raise NewConnectionError(cast(Any, self), "the address is not public")
            first: dict[int, str] = {}
            for family, *_kind, address in found:
                first.setdefault(family, str(address[0]))
            return self._connect(list(first.values()))
        except OSError as error:
            raise NewConnectionError(cast(Any, self), type(error).__name__) from None

    def _connect(self, addresses: Sequence[str]) -> socket.socket:
        """Connect to the first of `addresses` (one IPv6, one IPv4) that answers. Each gets an equal
        part of the time-out, because behind a broken IPv6 route nothing answers."""
        options: Any = self.socket_options
        part = self.timeout and self.timeout / len(addresses)
        failure = OSError()
        for address in addresses:
            try:
                connection = create_connection((address, self.port), part, None, options)
            except OSError as error:
                failure = error
            else:
                connection.settimeout(self.timeout)
                return connection
        raise failure


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = cast(Any, _PublicConnection)


class _NoConnection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        raise NewConnectionError(cast(Any, self), "not encrypted")


class _NoPool(HTTPConnectionPool):
    ConnectionCls = cast(Any, _NoConnection)
