"""A TCP relay whose target can change, as in a failover behind one address."""

import contextlib
import socket
import threading
import time
from typing import Self

from devtools.ports import HOST


class Relay:
    """Passes bytes between its own `port` and `target`.

    A change of `target` affects new connections only. While `flowing` is cleared no byte passes, as
    if the server hung. What a client sends is delayed by `delay` seconds.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self._socket = socket.create_server((HOST, 0))
        self.port = int(self._socket.getsockname()[1])
        self._open: list[socket.socket] = []
        self.flowing = threading.Event()
        self.flowing.set()
        self.delay = 0.0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((HOST, self.target))
            except OSError:
                client.close()
                continue
            self._open += (client, server)
            for way in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._copy, args=way, daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket, asks: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.flowing.wait()
                if asks:
                    time.sleep(self.delay)
                sink.sendall(data)
        _close(source)
        _close(sink)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._socket, *self._open):
            _close(each)


def _close(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
