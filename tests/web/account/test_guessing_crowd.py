"""Many concurrent password guesses, sent to a real web server."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import requests

from devtools.reaper import descendants
from myukm.domain.accounts.passwords import POOL
from tests.support.people import PASSWORD
from tests.support.programs import WebServer
from tests.support.without_valkey import NOBODY_LISTENS

CROWD = 200
MAX_GROWTH_MB = 64
Shape = Callable[[str, str], dict[str, Any]]


def form(nim: str, password: str) -> dict[str, Any]:
    return {"data": {"nim": nim, "password": password}}


def json(nim: str, password: str) -> dict[str, Any]:
    return {"json": {"nim": nim, "password": password}}


def multipart(nim: str, password: str) -> dict[str, Any]:
    return {"files": {"nim": (None, nim), "password": (None, password)}}


def long_part_first(nim: str, password: str) -> dict[str, Any]:
    return {"files": {"a": (None, "x" * 700_000), **multipart(nim, password)["files"]}}


def many_parts_first(nim: str, password: str) -> dict[str, Any]:
    many = {f"a{n}": (None, "x") for n in range(1100)}
    return {"files": many | multipart(nim, password)["files"]}


def cut_off(nim: str, password: str) -> dict[str, Any]:
    head = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    body = head.format("nim", nim) + head.format("password", password) + "--x\r\nContent-Dis"
    return {"data": body, "headers": {"Content-Type": "multipart/form-data; boundary=x"}}


def padded(nim: str, password: str) -> dict[str, Any]:
    return json(f"\u2003{nim}\u3000", password)


# `padded` follows `multipart`, which has used up the guesses at the same account.
SHAPES: dict[Shape, str] = {
    form: "admin1",
    json: "bendahara1",
    multipart: "operator1",
    padded: "operator1",
    long_part_first: "2024001",
    many_parts_first: "2024002",
    cut_off: "2024003",
}


@pytest.fixture(params=["with_valkey", "without_valkey"])
def server(
    settings: dict[str, str], people: dict[str, int], tmp_path: Path, request: Any
) -> Iterator[WebServer]:
    """Two web processes, with Valkey and without."""
    unreachable = {"REDIS_URL": NOBODY_LISTENS} if request.param == "without_valkey" else {}
    web = WebServer(tmp_path / "web.log", settings | unreachable, workers=2)
    yield web
    web.kill()


def guess(web: WebServer, sent: dict[str, Any]) -> int:
    """Try to log in and return the status; 0 if the server closed the connection unanswered."""
    try:
        return requests.post(
            f"{web.url}/login", timeout=60, allow_redirects=False, **sent
        ).status_code
    except requests.ConnectionError:
        return 0


def crowd(web: WebServer, bodies: list[dict[str, Any]]) -> Counter[int]:
    """Send all bodies at once; count the responses by status."""
    with ThreadPoolExecutor(len(bodies)) as pool:
        return Counter(pool.map(lambda sent: guess(web, sent), bodies))


def memory(web: WebServer, line: str) -> int:
    """Return the kB of all server processes; `line` is `VmRSS` (now) or `VmHWM` (peak)."""
    found = 0
    for pid in descendants(web.child.pid):
        text = Path(f"/proc/{pid}/status").read_text()
        found += int(text.split(f"{line}:")[1].split()[0])
    return found


def test_only_ten_of_200_concurrent_guesses_are_checked_in_every_shape(server: WebServer) -> None:
    crowd(server, [form("nobody", "x")] * 40)  # so that lazy imports do not count as growth
    before = memory(server, "VmRSS")
    processes = set(descendants(server.child.pid))
    for shape, nim in SHAPES.items():
        answers = crowd(server, [shape(nim, f"salah {n}") for n in range(CROWD)])
        # On a busy machine Valkey may answer too late. Then a process counts alone and allows half
        # of the ten guesses, because there are two processes.
        assert answers[401] <= (0 if shape is padded else 10) + 5, (shape.__name__, answers)
        assert set(answers) <= {0, 401, 413, 429, 503}, (shape.__name__, answers)
        if shape in (form, json, multipart):
            assert answers[401] >= 1, (shape.__name__, answers)
        else:  # such a body is refused, or the guesses are used up: no password logs in
            assert guess(server, shape(nim, PASSWORD)) not in (200, 303)
    assert set(descendants(server.child.pid)) == processes, "a web process ended"
    assert memory(server, "VmHWM") - before <= MAX_GROWTH_MB * 1024


@pytest.mark.timing("other requests take at most 0.1 s while passwords are hashed")
def test_the_server_answers_while_many_passwords_are_hashed(web: WebServer) -> None:
    bodies = [form(f"n{n}", "salah") for n in range(150)]
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(crowd, web, bodies)
        took = []
        while not answers.done():
            took.append(requests.get(f"{web.url}/healthz", timeout=10).elapsed.total_seconds())
    assert set(answers.result()) == {401, 503}
    assert answers.result()[401] >= POOL.threads + POOL.max_waiting
    assert median(took) <= 0.1, took
