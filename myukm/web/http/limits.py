"""Limits of requests: body size and rate, and the address that rates are counted for."""

import ipaddress
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import request

from myukm.rate_limiting.limiter import acquire
from myukm.rate_limiting.local_log import Limit, claim
from myukm.web.http.access import current_account

View = TypeVar("View", bound=Callable[..., Any])
MAX_SHORT_BODY_BYTES = 16 * 1024
# Some proxies append the port, which differs for each connection.
WITH_PORT = re.compile(r"(?:\[(.+)\]|([\d.]+)):\d+")


def limit_short_body() -> None:
    """Refuse a body over `MAX_SHORT_BODY_BYTES` before it is read, because the fields are short."""
    request.max_content_length = MAX_SHORT_BODY_BYTES


def caller_address() -> str:
    """Return the caller's IPv4 address or IPv6 /64 network, because one customer owns a /64."""
    sent = request.remote_addr or ""
    named = WITH_PORT.fullmatch(sent)
    try:
        address = ipaddress.ip_address(named[1] or named[2] if named else sent)
    except ValueError:
        return sent
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))


def limited(limit: Limit) -> Callable[[View], View]:
    """Raise `TooFast` (429) if an account calls the view more often than `limit` allows.

    Only for views behind `logged_in`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Any:
            acquire(claim(limit, str(current_account().id)))
            return view(*args, **kwargs)

        return cast(View, counted)

    return decorate
