"""The relay of the bench with a distant database."""

import socket
import threading
import time

from bench.far_database import far
from devtools.ports import HOST

PARTS, DELAY = 10, 0.5


def send_parts(server: socket.socket) -> None:
    """Send parts in answer to the first byte; the connection that tests the relay sends none."""
    asked = False
    while not asked:
        connection, _address = server.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if asked := connection.recv(1) == b"?":
                for _ in range(PARTS):
                    connection.sendall(b"x")
                    time.sleep(0.02)  # else the parts may arrive as one


def test_each_part_of_an_answer_is_delayed_from_its_arrival():
    with socket.create_server((HOST, 0)) as server:
        threading.Thread(target=send_parts, args=(server,), daemon=True).start()
        with (
            far(server.getsockname()[1], DELAY) as port,
            socket.create_connection((HOST, port), timeout=30) as client,
        ):
            begun = time.monotonic()
            client.sendall(b"?")
            received = b"".join(iter(lambda: client.recv(100), b""))
            assert DELAY <= time.monotonic() - begun < PARTS * DELAY / 2
        assert received == b"x" * PARTS
