"""What a call may carry, who makes it, and how often."""

import ipaddress
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import request

from myukm.rate_limits import acquire
from myukm.rate_log import Limit, claim
from myukm.web.http.access import current_account

View = TypeVar("View", bound=Callable[..., Any])
MAX_AUTH_BODY = 16 * 1024
# Some proxies send the port along, which is another one for each connection.
WITH_PORT = re.compile(r"(?:\[(.+)\]|([\d.]+)):\d+")


def limit_auth_body() -> None:
    """Refuse a body that no call with a password or a code could need, before it is read."""
    request.max_content_length = MAX_AUTH_BODY


def caller_address() -> str:
    """Return the address that limits count for: with IPv6 the network that one customer has."""
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
    """Let an account call the view so often; for views behind `logged_in` only."""

    def decorate(view: View) -> View:
        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Any:
            acquire(claim(limit, str(current_account().id)))
            return view(*args, **kwargs)

        return cast(View, counted)

    return decorate
