"""Finds free TCP ports on this machine."""

import random
import socket
from collections.abc import Iterable

HOST = "127.0.0.1"
# Ports below those of outgoing connections, which start at 32768 on Linux and 49152 on macOS.
NEVER_OUTGOING = range(12_000, 32_768)

_offered = set[int]()


class NoFreePortError(Exception):
    """None of the requested ports is free."""


def is_free(port: int) -> bool:
    """Return whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def first_free(ports: Iterable[int]) -> int:
    """Return the first free one of `ports`. Raises `NoFreePortError`."""
    tried = list(ports)
    for port in tried:
        if is_free(port):
            return port
    raise NoFreePortError(f"{tried[0]}-{tried[-1]}")


def any_free() -> int:
    """Return a random free port, another one at each call.

    Not the one that the system would assign to port 0: it may give the same number to an outgoing
    connection before our server listens.
    """
    port = first_free(each for each in random.sample(NEVER_OUTGOING, 1000) if each not in _offered)
    _offered.add(port)
    return port
