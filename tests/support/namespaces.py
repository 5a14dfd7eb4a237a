"""Linux namespaces: several hosts on one machine, which can vanish without closing connections."""

import ctypes
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

KINDS = ("net", "uts")
CLONE_NEWNET, CLONE_NEWUTS = 0x40000000, 0x04000000
_libc = ctypes.CDLL(None, use_errno=True)


def here() -> str:
    """Return the calling thread's folder in /proc, whose `ns` are its namespaces."""
    return f"/proc/{os.getpid()}/task/{threading.get_native_id()}"


def enter(task: str) -> None:
    """Move the calling thread into another task's namespaces, unless it is there already.

    Does nothing without /proc (not on Linux).
    """
    for kind in KINDS if os.path.exists(task) else ():
        if os.readlink(f"{task}/ns/{kind}") != os.readlink(f"{here()}/ns/{kind}"):
            _enter(os.open(f"{task}/ns/{kind}", os.O_RDONLY))


@contextmanager
def inside(task: str) -> Iterator[None]:
    """Move the calling thread, and what it starts, into another task's namespaces for the block."""
    with _restored_afterwards():
        enter(task)
        yield


@contextmanager
def new() -> Iterator[None]:
    """Give the calling thread, and what it starts, a network and a host name of its own.

    Raises OSError if that is not allowed.
    """
    with _restored_afterwards():
        _check(_libc.unshare(CLONE_NEWNET | CLONE_NEWUTS))
        yield


@contextmanager
def _restored_afterwards() -> Iterator[None]:
    before = [os.open(f"{here()}/ns/{kind}", os.O_RDONLY) for kind in KINDS]
    try:
        yield
    finally:
        for opened in before:
            _enter(opened)


def _enter(opened: int) -> None:
    try:
        _check(_libc.setns(opened, 0))
    finally:
        os.close(opened)


def _check(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
