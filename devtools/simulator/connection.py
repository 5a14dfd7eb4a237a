"""One client connection: sends responses in order, with the delay or fault that `Service` chose."""

import asyncio
import socket
import struct

from devtools.simulator.control import PREFIX, control
from devtools.simulator.faults import ConnectionEnd
from devtools.simulator.http import BadRequestError, Request, response, take_request
from devtools.simulator.service import Answer, Service

RST_ON_CLOSE = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol):
    """Serves one request at a time; pipelined requests wait in the buffer."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._counters = service.counters
        self._buffer = bytearray()
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 (for the type checker)
        self._transport = transport
        self._counters.connected(+1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._counters.connected(-1)
        if self._timer:
            self._timer.cancel()
        if self._busy:
            self._counters.in_flight -= 1

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._serve()

    def _serve(self) -> None:
        try:
            while not self._busy and not self._transport.is_closing():
                request = take_request(self._buffer)
                if request is None:
                    return
                self._handle(request)
        except BadRequestError as error:
            self._transport.write(response(400, str(error).encode()))
            self._transport.close()

    def _handle(self, request: Request) -> None:
        if request.path.startswith(PREFIX):
            self._transport.write(control(self._service, request))
            return
        self._busy = True
        self._counters.started()
        answer = self._service.answer(request)
        if not request.keep_alive and answer.ending is ConnectionEnd.KEEP:
            answer.ending = ConnectionEnd.CLOSE
        if answer.delay:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(answer.delay, self._send_delayed, answer)
        else:
            self._send(answer)

    def _send_delayed(self, answer: Answer) -> None:
        self._send(answer)
        self._serve()

    def _send(self, answer: Answer) -> None:
        """Send the response and serve the next request; after a silent or stalled response do
        nothing, so that the client times out."""
        self._counters.outcomes[answer.outcome] += 1
        if answer.ending not in (ConnectionEnd.RESET, ConnectionEnd.SILENCE):
            self._counters.bytes_sent += len(answer.payload)
            self._transport.write(answer.payload)
        if answer.student:
            self._counters.answered[answer.student] += 1
        if answer.ending in (ConnectionEnd.SILENCE, ConnectionEnd.STALL):
            return
        self._busy = False
        self._counters.in_flight -= 1
        if answer.ending is ConnectionEnd.RESET:
            self._reset()
        elif answer.ending is ConnectionEnd.CLOSE:
            self._transport.close()

    def _reset(self) -> None:
        peer = self._transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
        self._transport.abort()
