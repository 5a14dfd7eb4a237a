"""The pages of students: roles, URLs of odd ids, JSON for scripts."""

import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from devtools.simulator.client import Simulator
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.payment_api.parser import parse
from myukm.domain.payment_api.work_item import Item
from myukm.domain.roster import importing
from myukm.domain.sync import results
from myukm.extensions import db
from myukm.models import Activity, Siswa
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import SYNC
from tests.support.programs import Program

ClientAs = Callable[[str], FlaskClient]
JSON = {"Accept": "application/json"}
ODD = ["a/b", "a//b", "/a", "a/", "a b", "100%", "é?#&", "%2F", "\\", "a.b", "-"]
ODD += ["sync", "x/sync", "x/statement"]
PAID = {"total_billed": "150000", "total_paid": "150000", "total_remaining": 0, "fully_paid": True}
PERIODS: list[dict[str, Any]] = [
    {
        "period_id": "20252026",
        "kelas_info": "VII A",
        "summary": PAID,
        "categories": [
            {
                "category_name": "SPP",
                "summary": PAID,
                "items": [
                    {
                        "unit_name": "Juli",
                        "amount_billed": "150000",
                        "amount_paid": "150000",
                        "remaining_balance": 0,
                    }
                ],
            }
        ],
    }
]


@pytest.fixture
def api(simulator: Simulator, settings: dict[str, str]) -> Simulator:
    settings["PEMBAYARAN_API_URL"] = simulator.url
    return simulator


def add(*students: Siswa) -> None:
    with transaction() as session:
        session.add_all(students)


@pytest.fixture
def students(app: Flask) -> None:
    with app.app_context():
        add(
            Siswa(
                idperson="100001",
                nama="Siti <b>Rahma</b>",
                kelas_formal="VII A",
                pembayaran=PERIODS,
                saldo=Decimal("25000"),
                tunggakan=Decimal(0),
                lebih_bayar=Decimal(0),
                lunas=True,
                status="lunas",
                synced_at=utcnow(),
            ),
            Siswa(idperson="100002", nama="Budi", tunggakan=Decimal("1234.5"), status="tunggakan"),
            Siswa(idperson="100003", nama="Ani"),
        )


@pytest.mark.usefixtures("students")
@pytest.mark.parametrize("path", ["/admin/siswa", "/admin/siswa/100001"])
@pytest.mark.parametrize(
    ("who", "page", "data"),
    [
        ("admin", 200, 200),
        ("bendahara", 200, 200),
        ("operator", 200, 200),
        ("member", 403, 403),
        ("outsider", 403, 403),
        ("nobody", 302, 401),
    ],
)
def test_only_staff_may_open_students(
    client_as: ClientAs, who: str, path: str, page: int, data: int
) -> None:
    client = client_as(who)
    assert client.get(path).status_code == page
    answer = client.get(path, headers=JSON)
    assert (answer.status_code, answer.is_json) == (data, True)


@pytest.mark.usefixtures("students")
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("admin", 202),
        ("bendahara", 202),
        ("operator", 403),
        ("member", 403),
        ("outsider", 403),
        ("nobody", 401),
    ],
)
def test_only_admins_and_treasurers_may_sync_a_student(
    app: Flask, client_as: ClientAs, who: str, status: int
) -> None:
    answer = client_as(who).post("/admin/siswa/100001/sync")
    assert answer.status_code == status
    with app.app_context():
        queued = get_queue(SYNC).job_ids
    assert queued == ([answer.get_json()["job_id"]] if status == 202 else [])


@pytest.mark.usefixtures("students")
def test_a_sync_needs_a_student_and_valkey(client_as: ClientAs, valkey: redis.Redis) -> None:
    client = client_as("admin")
    unknown = client.post("/admin/siswa/999/sync")
    assert (unknown.status_code, unknown.get_json()["error"]["code"]) == (404, "no_such_student")
    client.application.extensions["valkey"].connection_pool = redis.ConnectionPool(port=1)
    assert client.post("/admin/siswa/100001/sync").status_code == 503
    assert client.get("/admin/siswa/100001", headers=JSON).get_json()["waits_for"] is None


@pytest.mark.usefixtures("students")
def test_a_second_request_returns_the_first_job_and_says_what_it_waits_for(
    client_as: ClientAs,
) -> None:
    client = client_as("bendahara")
    first, second = (client.post("/admin/siswa/100001/sync").get_json() for _ in range(2))
    assert first["job_id"] == second["job_id"]
    assert first["waits_for"]["code"] == "no_worker"
    now = client.get("/admin/siswa/100001", headers=JSON).get_json()["waits_for"]
    assert "sync-pembayaran" in now["text"]
    with client.application.app_context():
        lines = db.session.scalars(select(Activity)).all()
        assert [(line.action, line.subject) for line in lines] == [("sync.student", "100001")] * 2


@pytest.mark.usefixtures("students")
def test_the_json_list_is_filtered(client_as: ClientAs) -> None:
    client = client_as("operator")
    everyone = client.get("/admin/siswa", headers=JSON).get_json()
    assert [student["nama"] for student in everyone["siswa"]] == [
        "Ani",
        "Budi",
        "Siti <b>Rahma</b>",
    ]
    assert (everyone["page"], everyone["pages"], everyone["total"]) == (1, 1, 3)
    budi, siti = everyone["siswa"][1:]
    assert (budi["tunggakan"], budi["saldo"], budi["status"]) == ("1234.50", None, "tunggakan")
    assert siti["synced_at"].endswith("Z")
    assert "pembayaran" not in siti

    def found(**query: str) -> list[str]:
        answer = client.get("/admin/siswa", query_string=query, headers=JSON).get_json()
        return [student["idperson"] for student in answer["siswa"]]

    assert found(q="RAHMA") == found(q="vii a") == found(filter="lunas") == ["100001"]
    assert found(filter="belum", q="1000") == ["100002"]


@pytest.mark.usefixtures("students")
@pytest.mark.parametrize("query", ["filter=x", "page=x", "page=-1", "page=1e9", "page=²"])
def test_an_invalid_query_is_refused(client_as: ClientAs, query: str) -> None:
    answer = client_as("admin").get(f"/admin/siswa?{query}", headers=JSON)
    assert answer.status_code == 422


@pytest.mark.usefixtures("students")
@pytest.mark.parametrize("q", ["'", "%", "\x00", "a" * 5000, "\ud800"])
def test_no_search_text_causes_an_error(client_as: ClientAs, q: str) -> None:
    path = f"/admin/siswa?q={quote(q, errors='surrogatepass')}"
    assert client_as("admin").get(path).status_code == 200


@pytest.mark.usefixtures("students")
def test_pages_escape_html_in_names(client_as: ClientAs) -> None:
    client = client_as("bendahara")
    page = client.get("/admin/siswa").text
    assert "Siti &lt;b&gt;Rahma&lt;/b&gt;" in page
    student = client.get("/admin/siswa/100001").text
    assert "Rp\u00a0150.000" in student
    assert "SPP" in student
    assert 'id="sync-now"' in student
    assert 'id="sync-now"' not in client_as("operator").get("/admin/siswa/100001").text


@pytest.mark.usefixtures("students")
def test_the_json_of_a_student_has_the_payments_as_the_api_sent_them(client_as: ClientAs) -> None:
    answer = client_as("admin").get("/admin/siswa/100001", headers=JSON).get_json()
    assert answer["pembayaran"] == PERIODS
    assert answer["saldo"] == "25000.00"


@pytest.mark.parametrize("path", ["/admin/siswa", "/admin/siswa/100004"])
def test_disagreeing_figures_and_inactive_students_are_marked(
    app: Flask, client_as: ClientAs, path: str
) -> None:
    store(app, {"total_remaining": 0}, item={"amount_paid": 0, "remaining_balance": 150_000})
    client = client_as("operator")
    page = client.get(path).text
    assert "Belum lunas" in page
    assert "Angka tidak cocok</span>" in page
    assert '<span class="badge tone-neutral">' not in page
    with app.app_context(), transaction() as session:
        session.execute(update(Siswa).values(active=False))
    assert "Nonaktif</span>" in client.get(path).text


def test_a_page_says_which_figure_disagrees_and_by_how_much(
    app: Flask, client_as: ClientAs
) -> None:
    store(app, {"total_remaining": 0}, item={"amount_paid": 0, "remaining_balance": 150_000})
    client = client_as("admin")
    page = client.get("/admin/siswa/100004").text
    assert "Jumlah sisa" in page
    assert "-Rp\u00a0150.000" in page
    answer = client.get("/admin/siswa/100004", headers=JSON).get_json()
    assert (answer["tidak_cocok"], answer["tunggakan"]) == (True, "150000.00")
    amounts = {"stated": "0.00", "counted": "150000.00"}
    found = {"where": ["20252026"], "field": "total_remaining", **amounts}
    assert found in answer["disagreements"]
    for query, number in (("tidak_cocok", 1), ("belum", 1), ("lunas", 0), ("nonaktif", 0)):
        listed = client.get(f"/admin/siswa?filter={query}&filter=aktif", headers=JSON).get_json()
        assert listed["total"] == number, query


@pytest.mark.parametrize(
    ("summary", "item", "badge"),
    [
        ({"fully_paid": False}, {}, "Lunas"),
        ({"total_billed": 150000.2, "total_remaining": 2e-11, "fully_paid": False}, {}, "Lunas"),
        ({"fully_paid": True}, {"amount_paid": 0, "remaining_balance": 150_000}, "Belum lunas"),
    ],
)
def test_a_student_and_the_period_have_the_same_badge(
    app: Flask, client_as: ClientAs, summary: dict[str, Any], item: dict[str, Any], badge: str
) -> None:
    store(app, summary, item=item)
    page = client_as("bendahara").get("/admin/siswa/100004").text
    badges = re.findall(r"</svg>(Lunas|Belum lunas)</span>", page)
    assert badges == [badge, badge]
    assert "Rp\u00a00,00" not in page


def store(app: Flask, summary: dict[str, Any], item: dict[str, Any]) -> None:
    """Sync a student who paid 150,000; `summary` and `item` change the period's sums and item."""
    period = PERIODS[0]
    category = period["categories"][0]
    bill = category["items"][0] | {"amount_billed": 150_000, "amount_paid": 150_000} | item
    parts = {"categories": [category | {"items": [bill]}], "summary": PAID | summary}
    body = {"data": [{"idperson": "100004", "saldo": 0, "periods": [period | parts]}]}
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="100004", nama="Dewi"))
        session.flush()
        answer = parse(json.dumps(body).encode(), "100004")
        results.take_in(session, None, [Item(1, "100004", answer=answer)])


def test_a_page_lists_at_most_fifty_disagreeing_figures(app: Flask, client_as: ClientAs) -> None:
    period = PERIODS[0] | {"summary": PAID | {"total_paid": 0}}
    with app.app_context():
        add(Siswa(idperson="100004", nama="Dewi", pembayaran=[period] * 70, synced_at=utcnow()))
    page = client_as("admin").get("/admin/siswa/100004").text
    assert page.count("Jumlah dibayar</th>") == 50
    assert "dan 20 angka lain" in page


def test_a_page_says_that_payments_cannot_be_read(app: Flask, client_as: ClientAs) -> None:
    with app.app_context():
        add(
            Siswa(idperson="100004", nama="Dewi", pembayaran=[{"period_id": 1}], synced_at=utcnow())
        )
    answer = client_as("admin").get("/admin/siswa/100004")
    assert answer.status_code == 200
    assert "tidak dapat dibaca" in answer.text


def test_a_pager_keeps_every_filter(app: Flask, client_as: ClientAs) -> None:
    with app.app_context():
        add(*(Siswa(idperson=f"{n}", nama=f"Nama {n}") for n in range(60)))
    page = client_as("admin").get("/admin/siswa?filter=belum_sinkron&filter=aktif&q=nama").text
    assert "?q=nama&amp;filter=belum_sinkron&amp;filter=aktif&amp;page=2" in page


def test_an_unknown_student_is_404(client_as: ClientAs) -> None:
    client = client_as("admin")
    assert client.get("/admin/siswa/1").status_code == 404
    answer = client.get("/admin/siswa/1", headers=JSON)
    assert answer.get_json()["error"]["code"] == "no_such_student"


def test_every_student_id_has_a_working_url(app: Flask, client_as: ClientAs) -> None:
    with app.app_context():
        add(*(Siswa(idperson=idperson, nama=f"<{idperson}>") for idperson in ODD))
    client = client_as("admin")
    for idperson in ODD:
        path = f"/admin/siswa/{quote(idperson, safe='')}"
        assert client.get(path, headers=JSON).get_json()["idperson"] == idperson
        assert f"<{idperson}>" in client.get(path).text.replace("&lt;", "<").replace(
            "&gt;", ">"
        ).replace("&amp;", "&"), idperson
        assert path in client.get("/admin/siswa").text


def audit_log(app: Flask) -> Sequence[Activity]:
    """Return the newest rows of the audit log."""
    with app.app_context():
        return activity.audit_page().items


def test_a_student_synced_on_request_has_the_payments_of_the_api(
    api: Simulator, client_as: ClientAs, start: Callable[..., Program]
) -> None:
    client = client_as("bendahara")
    with client.application.app_context():
        importing.from_api()
    before = client.get("/admin/siswa/100001", headers=JSON).get_json()
    assert (before["pembayaran"], before["lunas"], before["synced_at"]) == (None, None, None)
    assert client.post("/admin/siswa/100001/sync").status_code == 202
    worker = start("rq", "worker", "--burst", "sync-pembayaran")
    assert worker.child.wait(30) == 0, worker.output()
    rows = {row.action: row for row in audit_log(client.application)}
    assert (rows["sync.student"].actor_id, rows["sync.student"].subject) == (2, "100001")
    assert rows["siswa.import"].subject == "API: 200 siswa, +200 ~0 -0"
    after = client.get("/admin/siswa/100001", headers=JSON).get_json()
    assert after["pembayaran"] == api.expected("100001")["data"][0]["periods"]
    assert after["synced_at"]


def test_an_empty_list_says_that_students_are_not_synced_yet(
    app: Flask, client_as: ClientAs
) -> None:
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="1", nama="Siti"))
    treasurer = client_as("bendahara")
    page = treasurer.get("/admin/siswa?status=tunggakan").text
    assert "1 siswa belum disinkronkan" in page
    assert "Periksa ejaan" not in page
    assert "Periksa ejaan" in treasurer.get("/admin/siswa?q=zzz").text
    with app.app_context(), transaction() as session:
        session.execute(update(Siswa).values(synced_at=utcnow()))
    assert "Periksa ejaan" in treasurer.get("/admin/siswa?status=tunggakan").text


@pytest.mark.usefixtures("students")
def test_unreadable_payments_are_not_called_missing(app: Flask, client_as: ClientAs) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Siswa).values(pembayaran="rusak", synced_at=utcnow()))
    client = client_as("bendahara")
    page = client.get("/admin/siswa/100001").text
    assert "Data yang tersimpan tidak dapat dibaca" in page
    assert "tidak punya tagihan" not in page
    assert client.get("/admin/siswa/100001", headers=JSON).get_json()["readable"] is False


@pytest.mark.usefixtures("students")
def test_the_way_back_to_the_filtered_list_is_kept(client_as: ClientAs) -> None:
    treasurer = client_as("bendahara")
    way = "?back=/admin/tunggakan?kelas=VII"
    url = "/admin/siswa/100001{}" + f"?back={quote('/admin/tunggakan?kelas=VII', safe='')}"
    link = 'href="/admin/tunggakan?kelas=VII"'
    shown = treasurer.get(url.format("")).get_data(as_text=True)
    assert link in shown
    statement = "/admin/tunggakan/statements/100001"
    for path in ("/admin/siswa/100001/code", statement):
        assert f"{path}{way}" in unquote(shown), path
    assert link in treasurer.post(url.format("/code")).get_data(as_text=True)
    printed = treasurer.get(f"{statement}{url.partition('{}')[2]}").get_data(as_text=True)
    assert f"/admin/siswa/100001{way}" in unquote(printed)
