"""Finding a TCP port of this machine to listen on."""

import random
import socket
from collections.abc import Iterable

HOST = "127.0.0.1"
# Outgoing connections begin at 32768 on Linux and at 49152 on macOS.
NEVER_OUTGOING = range(12_000, 32_768)


class NoFreePortError(Exception):
    """None of the ports that were asked for can be listened on."""


def is_free(port: int) -> bool:
    """Say whether a server could listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def first_free(ports: Iterable[int]) -> int:
    """Return the first free one of `ports`; NoFreePortError when there is none."""
    tried = list(ports)
    for port in tried:
        if is_free(port):
            return port
    raise NoFreePortError(f"{tried[0]}-{tried[-1]}")


def any_free() -> int:
    """Return a free port by chance. The system's own choice would be one of those that it also
    gives to outgoing connections: such a one is soon taken again."""
    return first_free(random.sample(NEVER_OUTGOING, 100))
