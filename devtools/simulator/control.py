"""The control interface of the simulator: `/_sim` on the same port."""

import json
from typing import Any

from devtools.simulator.http import Request, response
from devtools.simulator.options import OptionError
from devtools.simulator.service import PAYMENTS, Service

PREFIX = "/_sim"
EXPECTED = f"{PREFIX}/expected/"


def control(service: Service, request: Request) -> bytes:
    """Return the response to a request under `PREFIX`; it may change the service's options."""
    calls = {
        ("GET", PREFIX): lambda: _state(service),
        ("POST", PREFIX): lambda: _configure(service, request.body),
        ("POST", f"{PREFIX}/reset"): lambda: _reset(service),
        ("GET", f"{PREFIX}/students"): service.counters.students,
    }
    if request.path.startswith(EXPECTED):
        return _expected(service, request.path.removeprefix(EXPECTED))
    call = calls.get((request.method, request.path))
    if call is None:
        return _json(404, {"error": f"no such call: {request.method} {request.path}"})
    try:
        return _json(200, call())
    except (OptionError, json.JSONDecodeError) as error:
        return _json(400, {"error": str(error)})


def _state(service: Service) -> dict[str, Any]:
    return {"options": service.options.as_json(), **service.counters.as_json()}


def _configure(service: Service, body: bytes) -> dict[str, Any]:
    values = json.loads(body)
    if not isinstance(values, dict):
        raise OptionError("an object of options is required")
    service.configure(service.options.updated(values))
    return _state(service)


def _reset(service: Service) -> dict[str, Any]:
    service.reset()
    return _state(service)


def _expected(service: Service, idperson: str) -> bytes:
    """Return the correct body for a student, whatever fault is set."""
    page = service.cache.page(idperson)
    if page is None:
        return _json(404, {"error": f"no such student: {PAYMENTS}{idperson}"})
    return response(200, page.body)


def _json(status: int, value: Any) -> bytes:
    return response(status, json.dumps(value).encode())
