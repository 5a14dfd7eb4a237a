"""Pages and calls of the payment sync: roles, answers, bad input."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, insert, update

from myukm.db.session import transaction
from myukm.domain.sync import dispatching, progress
from myukm.models import Siswa, SyncItem, SyncRun
from tests.support import sync
from tests.support.statements import recorded_statements

URL = "/admin/sync-pembayaran"
ACTIONS = ("start", "pause", "resume", "cancel", "reset", "retry-failed")
ClientAs = Callable[[str], FlaskClient]


@pytest.fixture
def campus(app: Flask) -> Flask:
    with app.app_context():
        sync.create_students(20)
    return app


def code(answer: Any) -> str:
    return str(answer.json["error"]["code"])


@pytest.mark.parametrize(
    ("who", "page", "call", "action"),
    [
        ("admin", 200, 200, 202),
        ("bendahara", 200, 200, 202),
        ("operator", 200, 200, 403),
        ("member", 403, 403, 403),
        ("outsider", 403, 403, 403),
        ("nobody", 302, 401, 401),
    ],
)
def test_pages_and_actions_depend_on_the_role(
    campus: Flask, client_as: ClientAs, who: str, page: int, call: int, action: int
) -> None:
    client = client_as(who)
    assert client.get(URL).status_code == page
    assert client.get(f"{URL}/runs").status_code == page
    assert client.get(f"{URL}/progress").status_code == call
    assert client.post(f"{URL}/start").status_code == action
    if action != 202:
        for name in ACTIONS:
            assert client.post(f"{URL}/{name}").status_code == action


def test_a_run_is_started_paused_resumed_cancelled_and_reset(
    campus: Flask, client_as: ClientAs
) -> None:
    client = client_as("bendahara")
    accepted = client.post(f"{URL}/start")
    assert accepted.status_code == 202
    assert accepted.json["started_by"] == "Budi Santoso"
    assert set(accepted.json) >= set(progress.idle())
    again = client.post(f"{URL}/start")
    assert (again.status_code, code(again)) == (409, "sync_already_running")
    assert client.post(f"{URL}/reset").status_code == 409
    assert client.post(f"{URL}/pause").json["status"] == "paused"
    assert client.post(f"{URL}/resume").status_code == 202
    assert client.post(f"{URL}/cancel").status_code == 202
    assert client.get(f"{URL}/progress").json["status"] == "cancelled"
    assert client.post(f"{URL}/reset").status_code == 200
    assert client.get(f"{URL}/progress").json["status"] == "idle"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"idperson": ["100001", "nobody"]}, 422),
        ({"idperson": []}, 422),
        ({"idperson": "100001"}, 422),
        ({"idperson": [100001]}, 422),
        ({"dry_run": "yes"}, 422),
        ({"failed_of": 12345}, 404),
        ({"failed_of": "1"}, 422),
        ({"failed_of": True}, 422),
        ({"failed_of": 10**30}, 404),
        ([], 422),
        ("x", 422),
    ],
)
def test_bad_input_starts_no_run(
    campus: Flask, client_as: ClientAs, body: Any, status: int
) -> None:
    client = client_as("admin")
    answer = client.post(f"{URL}/start", json=body)
    assert answer.status_code == status, answer.json
    assert set(answer.json["error"]) == {"code", "message"}
    assert client.get(f"{URL}/progress").json["status"] == "idle"


def test_without_students_no_run_starts(app: Flask, client_as: ClientAs) -> None:
    answer = client_as("admin").post(f"{URL}/start")
    assert (answer.status_code, code(answer)) == (422, "no_student")


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
def test_another_origin_is_refused(
    campus: Flask, client_as: ClientAs, headers: dict[str, str]
) -> None:
    assert client_as("admin").post(f"{URL}/start", headers=headers).status_code == 403


def test_a_start_takes_the_same_number_of_statements_for_many_students(
    campus: Flask, client_as: ClientAs
) -> None:
    client = client_as("admin")
    few = count_statements_of_a_start(campus, client)
    with campus.app_context(), transaction() as session:
        session.execute(
            insert(Siswa),
            [{"idperson": f"x{n}", "nama": f"Siswa {n}"} for n in range(5_000)],
        )
    assert count_statements_of_a_start(campus, client) == few


def count_statements_of_a_start(campus: Flask, client: FlaskClient) -> int:
    """Start a run, cancel it, and return how many statements the start took."""
    with recorded_statements(campus) as found:
        assert client.post(f"{URL}/start").status_code == 202
    client.post(f"{URL}/cancel")
    return len(found)


def test_failures_are_downloaded_as_csv_safe_for_spreadsheets(
    campus: Flask, client_as: ClientAs
) -> None:
    client = client_as("operator")
    assert client.get(f"{URL}/runs/1/failures.csv").status_code == 404
    run_id = client_as("admin").post(f"{URL}/start").json["run_id"]
    with campus.app_context():
        dispatching.dispatch(run_id)
        with transaction() as session:
            bad = update(SyncItem).where(SyncItem.idperson == "100001")
            session.execute(
                bad.values(status="failed", code="timeout", message="Terlambat.", attempts=3)
            )
            named = update(Siswa).where(Siswa.idperson == "100001")
            session.execute(named.values(nama='=HYPERLINK("x";"y")'))
            session.execute(update(SyncRun).values(failed=1))
    answer = client.get(f"{URL}/runs/{run_id}/failures.csv")
    assert answer.mimetype == "text/csv"
    assert answer.data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0] == ["idperson", "nama", "code", "message", "attempts", "at"]
    assert rows[1][:5] == ["100001", '\'=HYPERLINK("x";"y")', "timeout", "Terlambat.", "3"]
    assert len(rows) == 2
    page = 'href="/admin/siswa/100001"'
    assert page in client.get(f"{URL}/runs/{run_id}").text
    with campus.app_context(), transaction() as session:
        session.execute(delete(Siswa).where(Siswa.idperson == "100001"))
    shown = client.get(f"{URL}/runs/{run_id}").text
    assert "siswa dihapus" in shown
    assert page not in shown, "a deleted student has no page"


def test_the_pages_of_runs_reach_the_first_run(campus: Flask, client_as: ClientAs) -> None:
    with campus.app_context(), transaction() as session:
        session.add_all([SyncRun(id=n, status="completed") for n in range(1, 121)])
    client, as_json = client_as("operator"), {"Accept": "application/json"}
    first = client.get(f"{URL}/runs").text
    assert f'href="{URL}/runs/71"' in first
    assert f'href="{URL}/runs/70"' not in first
    assert 'rel="next" href="?page=2"' in first
    last = client.get(f"{URL}/runs?page=3").text
    assert f'href="{URL}/runs/1"' in last
    assert 'rel="next"' not in last
    pages = [client.get(f"{URL}/runs?page={n}", headers=as_json).json for n in (1, 2, 3)]
    assert [run["run_id"] for page in pages for run in page["runs"]] == [*range(120, 0, -1)]
    assert [(p["page"], p["pages"], p["total"]) for p in pages] == [(n, 3, 120) for n in (1, 2, 3)]
    assert client.get(f"{URL}/runs?page=x", headers=as_json).status_code == 422


def test_the_page_of_an_unknown_run_is_not_found(campus: Flask, client_as: ClientAs) -> None:
    assert client_as("admin").get(f"{URL}/runs/99").status_code == 404
