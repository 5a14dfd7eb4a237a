"""Decides the response to each request: the correct one, or the fault that the options demand."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from devtools.simulator.answer_cache import AnswerCache, CachedResponse
from devtools.simulator.counters import Counters
from devtools.simulator.faults import KINDS, ConnectionEnd
from devtools.simulator.http import Request, response
from devtools.simulator.options import Options, Selection, fraction

PAYMENTS = "/payments/"


@dataclass(slots=True)
class Answer:
    """The bytes to send, the delay in seconds, and what happens to the connection.

    `student` is set if this is a correct answer about that student, for the counters.
    """

    payload: bytes
    outcome: str
    delay: float = 0.0
    ending: ConnectionEnd = ConnectionEnd.KEEP
    student: str = ""


class Service:
    """The two calls of the payment API (roster, payments) under the current options."""

    def __init__(self, options: Options) -> None:
        self.counters = Counters()
        self.cache = AnswerCache(options)
        self._random = random.Random(1)
        self.configure(options)

    def configure(self, options: Options) -> None:
        """Use `options` from the next request on; flaky students begin to fail anew."""
        self.options = options
        self.cache = self.cache if self.cache.serves(options) else AnswerCache(options)
        self._flaky_failures = Counter[str]()

    def reset(self) -> None:
        """Reset the counters; the options stay."""
        self.counters.reset()
        self._flaky_failures.clear()

    def answer(self, request: Request) -> Answer:
        """Count a request to the API and return the answer."""
        path = request.path
        self.counters.paths["payments" if path.startswith(PAYMENTS) else path] += 1
        answer = self._refusal(request) or self._overridden(path) or self._routed(request)
        answer.delay = self._random.uniform(*self.options.latency_ms) / 1000
        return answer

    def _refusal(self, request: Request) -> Answer | None:
        options = self.options
        if options.outage:
            return self._faulty(options.outage, None)
        if options.rate is not None and self.counters.this_second() > options.rate:
            wait = (("Retry-After", options.retry_after),) if options.retry_after else ()
            body = b'{"message": "Too many requests"}'
            return Answer(response(options.rate_status, body, wait), str(options.rate_status))
        if options.token and request.headers.get("authorization") != f"Bearer {options.token}":
            return self._faulty("401", None)
        if request.method != "GET":
            return Answer(response(405, b"{}", (("Allow", "GET"),)), "405")
        return None

    def _overridden(self, path: str) -> Answer | None:
        override = self.options.override.get(path)
        if override is None:
            return None
        body = response(override.status, override.body.encode(), override.headers.items())
        return Answer(body, "override")

    def _routed(self, request: Request) -> Answer:
        if request.path == "/siswa":
            return self._correct(self.cache.roster, request)
        if not request.path.startswith(PAYMENTS):
            return self._faulty("404", None)
        idperson = request.path.removeprefix(PAYMENTS)
        self.counters.asked[idperson] += 1
        page = self.cache.page(idperson)
        if page is None:
            return self._faulty("404", None)
        if kind := self._fault_kind(idperson):
            other = kind == "wrong_student"
            return self._faulty(kind, self.cache.neighbour(idperson) if other else page)
        return self._correct(page, request, idperson)

    def _correct(self, page: CachedResponse, request: Request, student: str = "") -> Answer:
        if page.etag and request.headers.get("if-none-match") == page.etag:
            return Answer(page.not_modified, "304", student=student)
        zipped = self.options.gzip and request.accepts_gzip()
        return Answer(page.compressed if zipped else page.plain, "200", student=student)

    def _fault_kind(self, idperson: str) -> str | None:
        """Return the kind of fault for this request about the student, None for no fault."""
        if kind := _drawn(self.options.fail, "fail", idperson):
            return kind
        kind = _drawn(self.options.flaky, "flaky", idperson)
        if kind is None or self._flaky_failures[idperson] >= self.options.flaky_failures:
            self._flaky_failures.pop(idperson, None)
            return None
        self._flaky_failures[idperson] += 1
        return kind

    def _faulty(self, kind: str, page: CachedResponse | None) -> Answer:
        fault = KINDS[kind]
        body = fault.content(page.body if page else b'{"data": []}')
        payload = response(fault.status, body, fault.headers)
        if fault.ending in (ConnectionEnd.CLOSE, ConnectionEnd.STALL):
            payload = payload[: -len(body) // 2]
        return Answer(payload, kind, ending=fault.ending)


def _drawn(kinds: Mapping[str, Selection], salt: str, idperson: str) -> str | None:
    """Return the kind drawn for a student. All shares use one draw, so that a student gets at most
    one kind and the shares add up."""
    position = fraction(salt, idperson)
    for kind, selection in kinds.items():
        if isinstance(selection, frozenset):
            if idperson in selection:
                return kind
        elif position < selection:
            return kind
        else:
            position -= selection
    return None
