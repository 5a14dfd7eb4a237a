"""Runs a script in a process of its own, because it could take much memory or crash."""

import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

MAX_OUTPUT_BYTES = 64 * 1024


def run_script(script: Path, args: Sequence[str], seconds: float) -> bytes:
    """Run a Python script and return its output, at most `MAX_OUTPUT_BYTES`.

    The script is killed after `seconds`. Then, or if it crashes, the output so far is returned.

    Under gevent other requests are served meanwhile, because the output comes by a socket. The
    process is spawned, not forked, because a fork would copy the web server's page tables. It gets
    no environment, because the environment contains secrets.
    """
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            argv = [sys.executable, "-I", str(script), *args]
            actions = [(os.POSIX_SPAWN_DUP2, theirs.fileno(), 1)]
            child = os.posix_spawn(sys.executable, argv, {}, file_actions=actions)
        try:
            return _output(ours, seconds)
        finally:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(child, 0)


def _output(source: socket.socket, seconds: float) -> bytes:
    deadline = time.monotonic() + seconds
    found = b""
    with suppress(TimeoutError):
        while (left := deadline - time.monotonic()) > 0:
            source.settimeout(left)
            part = source.recv(MAX_OUTPUT_BYTES - len(found))
            if not part:
                break
            found += part
    return found
