"""The simulated payment API over real HTTP."""

import json
import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

from devtools.sample import payments, student, students
from devtools.simulator import Simulator
from devtools.simulator.options import Options
from tests.support.waiting import wait_until

ID = "100001"
OTHER = "100002"


def get(api: Simulator, path: str = f"/payments/{ID}", **kwargs) -> requests.Response:
    return requests.get(api.url + path, timeout=5, allow_redirects=False, **kwargs)


def raw(api: Simulator, data: bytes) -> bytes:
    """Send bytes and return everything until the server closes."""
    address = urlsplit(api.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_it_serves_exactly_the_sample_campus(api: Simulator):
    assert get(api, "/siswa").json() == {"data": list(students())}
    assert get(api).json() == {"data": payments(student(0))} == api.expected(ID)


def test_the_number_of_students_can_be_set(api: Simulator):
    api.set(students=3)
    assert len(get(api, "/siswa").json()["data"]) == 3
    assert get(api, "/payments/100004").status_code == 404


@pytest.mark.parametrize("path", ["/payments/x", "/payments/", "/payments/99", "/", "/siswa/"])
def test_unknown_students_and_paths_are_404(api: Simulator, path: str):
    assert get(api, path).status_code == 404


def test_methods_other_than_get_are_refused(api: Simulator):
    assert requests.post(f"{api.url}/siswa", json={}, timeout=5).status_code == 405


@pytest.mark.parametrize(
    ("kind", "status", "body"),
    [
        ("400", 400, None),
        ("401", 401, None),
        ("403", 403, None),
        ("404", 404, None),
        ("500", 500, None),
        ("502", 502, None),
        ("503", 503, None),
        ("redirect", 302, b""),
        ("html", 200, b"<!doctype html><title>Login</title>"),
        ("null", 200, b"null"),
        ("object", 200, b'{"data": {}}'),
        ("empty", 200, b'{"data": []}'),
    ],
)
def test_a_fault_of_one_student_affects_no_other(api, kind, status, body):
    api.set(fail={kind: [ID]})
    reply = get(api)
    assert reply.status_code == status
    assert body is None or reply.content == body
    assert get(api, f"/payments/{OTHER}").json() == api.expected(OTHER)
    assert api.expected(ID) == {"data": payments(student(0))}


def test_garbage_is_not_json(api: Simulator):
    api.set(fail={"garbage": [ID]})
    with pytest.raises(requests.JSONDecodeError):
        get(api).json()


def test_a_wrong_student_fault_returns_payments_of_another(api: Simulator):
    api.set(fail={"wrong_student": [ID]})
    assert get(api).json()["data"][0]["idperson"] != ID


def test_a_too_large_fault_has_more_than_5_mb(api: Simulator):
    api.set(fail={"too_large": [ID]})
    assert len(get(api).content) > 5 * 1024 * 1024


@pytest.mark.parametrize(
    ("kind", "words"), [("reset", "reset by peer"), ("truncated", "IncompleteRead")]
)
def test_a_connection_breaks_before_or_within_the_response(api: Simulator, kind: str, words: str):
    api.set(fail={kind: [ID]})
    with pytest.raises(requests.RequestException, match=words):
        get(api)


@pytest.mark.parametrize("kind", ["timeout", "stall"])
def test_a_response_never_begins_or_never_ends(api: Simulator, kind: str):
    api.set(fail={kind: [ID]})
    with pytest.raises(requests.RequestException, match="Read timed out"):
        requests.get(f"{api.url}/payments/{ID}", timeout=0.3)


def test_a_share_fails_always_the_same_students(api: Simulator):
    api.set(fail={"500": 0.03, "404": 0.02})
    with requests.Session() as session:
        first, again = (
            [
                session.get(f"{api.url}/payments/{100001 + n}", timeout=5).status_code
                for n in range(1000)
            ]
            for _ in range(2)
        )
    assert first == again
    assert 15 <= first.count(500) <= 45
    assert 8 <= first.count(404) <= 32


def test_a_flaky_student_succeeds_after_the_set_failures_then_fails_again(api: Simulator):
    api.set(flaky={"503": [ID]}, flaky_failures=2)
    assert [get(api).status_code for _ in range(6)] == [503, 503, 200, 503, 503, 200]


def test_a_flaky_student_fails_as_often_as_set_whatever_it_did_under_older_options(api: Simulator):
    api.set(flaky={"503": [ID]}, flaky_failures=2)
    assert get(api).status_code == 503
    api.set(flaky={"503": [ID]}, flaky_failures=2)
    assert [get(api).status_code for _ in range(3)] == [503, 503, 200]


def test_above_the_rate_it_answers_429_with_retry_after(api: Simulator):
    api.set(rate=5, retry_after="7")
    with requests.Session() as session:
        replies = [session.get(f"{api.url}/payments/{ID}", timeout=5) for _ in range(40)]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert len(refused) >= 20
    assert {reply.headers["Retry-After"] for reply in refused} == {"7"}
    api.set(rate_status=503, retry_after=None, rate=0)
    assert get(api).status_code == 503
    assert "Retry-After" not in get(api).headers


def test_an_outage_is_switched_on_and_off_while_it_runs(api: Simulator):
    api.set(outage="503")
    assert get(api).status_code == get(api, "/siswa").status_code == 503
    api.set(outage="reset")
    with pytest.raises(requests.ConnectionError):
        get(api)
    api.set(outage=None)
    assert get(api).status_code == 200


def test_a_token_is_required_once_it_is_set(api: Simulator):
    assert get(api, headers={"Authorization": "Bearer anything"}).status_code == 200
    api.set(token="right")
    assert get(api).status_code == 401
    assert get(api, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert get(api, headers={"Authorization": "Bearer right"}).status_code == 200


def test_a_day_changes_the_payments_of_the_chosen_students(api: Simulator):
    before = {str(n): api.expected(str(n)) for n in range(100001, 100201)}
    api.advance([ID])
    changed = [i for i, body in before.items() if api.expected(i) != body]
    assert changed == [ID]
    assert api.expected(ID) == {"data": payments(student(0), 1)}
    api.advance(0.2)
    changed = [i for i, body in before.items() if api.expected(i) != body]
    assert 20 <= len(changed) <= 60


def test_latency_can_be_fixed_or_random(api: Simulator):
    for latency in ("100", "100..150"):
        api.set(latency_ms=latency)
        started = time.monotonic()
        get(api)
        assert time.monotonic() - started >= 0.1


def test_only_clients_that_accept_gzip_get_it(api: Simulator):
    api.set(gzip=True)
    packed = get(api)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(packed.content)
    plain = get(api, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert packed.json() == plain.json() == api.expected(ID)


def test_an_unchanged_answer_is_304_for_its_etag(api: Simulator):
    tag = {"If-None-Match": get(api).headers["ETag"]}
    assert get(api, headers=tag).status_code == 304
    api.advance([ID])
    assert get(api, headers=tag).status_code == 200
    api.set(etag=False)
    assert "ETag" not in get(api).headers


def test_a_path_can_be_overridden_byte_by_byte(api: Simulator):
    answer = {"status": 418, "headers": {"X-Odd": "yes"}, "body": '{"data": NaN}'}
    api.set(override={f"/payments/{ID}": answer})
    reply = get(api)
    assert (reply.status_code, reply.headers["X-Odd"]) == (418, "yes")
    assert reply.text == answer["body"]


def test_pipelined_requests_are_answered_in_order(api: Simulator):
    api.set(latency_ms="1..20")
    wanted = [str(100001 + n) for n in range(20)]
    lines = "".join(f"GET /payments/{i} HTTP/1.1\r\nHost: x\r\n\r\n" for i in wanted)
    replies = raw(api, lines.encode() + b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
    bodies = [part.split(b"\r\n\r\n", 1)[1] for part in replies.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    bodies[-1] = bodies[-1].split(b"HTTP/1.1 404")[0]
    assert [json.loads(body) for body in bodies] == [api.expected(i) for i in wanted]


def test_a_request_may_arrive_in_pieces(api: Simulator):
    address = urlsplit(api.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        for piece in (b"GET /payments/", ID.encode(), b" HTTP/1.1\r\nConnection: clo", b"se\r\n\r"):
            connection.sendall(piece)
        connection.sendall(b"\n")
        reply = b"".join(iter(lambda: connection.recv(65536), b""))
    assert json.loads(reply.split(b"\r\n\r\n", 1)[1]) == api.expected(ID)


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"x" * 40_000,
    ],
)
def test_bytes_that_are_no_request_are_answered_400_and_the_connection_closed(
    api: Simulator, data: bytes
):
    assert raw(api, data).startswith(b"HTTP/1.1 400 ")


def test_requests_and_outcomes_are_counted(api: Simulator):
    api.set(fail={"500": [OTHER]}, latency_ms="30")
    for idperson in (ID, ID, OTHER):
        get(api, f"/payments/{idperson}")
    get(api, "/siswa")
    state = api.state()
    assert state["requests"] == 4
    assert state["paths"] == {"payments": 3, "/siswa": 1}
    assert state["outcomes"] == {"200": 3, "500": 1}
    assert (state["in_flight"], state["in_flight_max"]) == (0, 1)
    assert api.students() == {
        ID: {"asked": 2, "answered": 2},
        OTHER: {"asked": 1, "answered": 0},
    }
    api.reset()
    assert api.state()["requests"] == 0
    assert api.state()["options"]["fail"] == {"500": [OTHER]}


def test_a_request_whose_client_left_is_not_in_flight(api: Simulator):
    api.set(outage="timeout")
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{api.url}/siswa", timeout=0.5)
    wait_until(lambda: api.state()["in_flight"] == 0)
    assert api.state()["in_flight_max"] == 1


@pytest.mark.parametrize(
    "options",
    [
        {"nothing": 1},
        {"latency_ms": "9..3"},
        {"latency_ms": None},
        {"fail": {"nonsense": 0.1}},
        {"fail": {"500": 2}},
        {"fail": 0.5},
        {"outage": "nonsense"},
        {"students": -1},
        {"gzip": "false"},
        {"override": {"/siswa": {"stat": 1}}},
    ],
)
def test_bad_options_are_refused_by_name_and_change_nothing(api: Simulator, options: dict):
    before = api.state()["options"]
    with pytest.raises(ValueError, match=next(iter(options))):
        api.set(**options)
    assert api.state()["options"] == before


def test_options_survive_json():
    options = Options().updated(
        {
            "latency_ms": "1..2",
            "fail": {"500": 0.5, "404": ["a"]},
            "changes": [0.1, ["b"]],
            "override": {"/siswa": {"body": "x"}},
        }
    )
    assert Options().updated(json.loads(json.dumps(options.as_json()))) == options


def test_unknown_control_calls_and_students_are_refused(api: Simulator):
    assert get(api, "/_sim/nothing").status_code == 404
    with pytest.raises(ValueError, match="x"):
        api.expected("x")
    assert requests.post(f"{api.url}/_sim", data="{", timeout=5).status_code == 400


def test_a_taken_port_is_reported():
    with Simulator() as first, pytest.raises(RuntimeError, match="in use"):
        Simulator(port=urlsplit(first.url).port)
