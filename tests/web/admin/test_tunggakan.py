"""The page of what students owe: roles, filters in the address, links to a group's students."""

import re
import select
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.domain.exports import writing
from myukm.extensions import db
from myukm.models import PaymentLoss, Siswa, Tagihan
from myukm.web.admin import tunggakan
from tests.db.test_timeouts import shown
from tests.support.bill_rows import give_sets

ClientAs = Callable[[str], FlaskClient]
JSON = {"Accept": "application/json"}
PATH = "/admin/tunggakan"
# The setting that ends a silent transaction, ours, and a short one.
IDLE_LIMIT = {
    "postgresql": ("idle_in_transaction_session_timeout", "10s", "'100ms'"),
    "mysql": ("idle_transaction_timeout", "10", "1"),
}


@pytest.fixture
def students(app: Flask) -> None:
    owing = {"status": "tunggakan", "lunas": False}
    with app.app_context(), transaction() as session:
        session.add_all(
            [
                Siswa(
                    id=1,
                    idperson="100001",
                    nama="Siti <b>Rahma</b>",
                    unit_formal="MTs",
                    asrama_pondok="Khadijah",
                    phone="081234",
                    tunggakan=350_000,
                    lebih_bayar=10_000,
                    **owing,
                ),
                Siswa(
                    id=2,
                    idperson="100002",
                    nama="Budi",
                    unit_formal="MA",
                    tunggakan=99.5,
                    lebih_bayar=0,
                    active=False,
                    **owing,
                ),
                Siswa(id=3, idperson="100003", nama="Ani", unit_formal="MA"),
            ]
        )
        bills = (
            (1, "20252026", "SPP", 30_000_000),
            (1, "20262027", "SPP", 5_000_000),
            (1, "20262027", "Kitab", -1_000_000),
            (2, "20262027", "SPP", 9_950),
        )
        for position, (key, period, category, rest) in enumerate(bills):
            amounts = {"billed": rest, "paid": 0, "remaining": rest}
            names = {"period_id": period, "category": category, "kelas": "", "item": "Juli"}
            session.add(Tagihan(siswa_id=key, position=position, **names, **amounts))
        give_sets(session)


@pytest.fixture
def total(client_as: ClientAs, students: None) -> Callable[[str], tuple[int, str, str]]:
    """`total("unit=MA")` returns the number of students, the sum they owe and the sum overpaid."""
    client = client_as("bendahara")

    def ask(query: str) -> tuple[int, str, str]:
        answer = client.get(f"{PATH}?{query}", headers=JSON)
        assert answer.status_code == 200, answer.text
        sums = answer.get_json()["total"]
        return sums["siswa"], sums["tunggakan"], sums["lebih_bayar"]

    return ask


@pytest.mark.usefixtures("students")
@pytest.mark.parametrize(
    ("who", "page", "data"),
    [
        ("admin", 200, 200),
        ("bendahara", 200, 200),
        ("operator", 403, 403),
        ("member", 403, 403),
        ("nobody", 302, 401),
    ],
)
def test_only_admins_and_treasurers_see_who_owes_what(
    client_as: ClientAs, who: str, page: int, data: int
) -> None:
    client = client_as(who)
    assert client.get(PATH).status_code == page
    answer = client.get(PATH, headers=JSON)
    assert (answer.status_code, answer.is_json) == (data, True)


def test_filters_combine(total: Callable[[str], tuple[int, str, str]]) -> None:
    assert total("") == (3, "350099.50", "10000")
    assert total("unit=MA") == (2, "99.50", "0")
    assert total("unit=MA&unit=MTs&min=100") == (1, "350000", "10000")
    assert total("period=20262027&status=tunggakan") == (2, "50099.50", "10000")
    assert total("period=20262027&category=Kitab&status=lunas") == (1, "0", "10000")
    assert total("q=081234") == total("q=khadijah") == total("asrama=Khadijah")
    assert total("asrama=(kosong)") == (2, "99.50", "0")
    assert total("filter=nonaktif") == (1, "99.50", "0")
    assert total("since=2020-01-01") == (0, "0", "0")
    assert total("unit=tidak-ada") == total("unit=';DROP TABLE siswa;--") == (0, "0", "0")
    assert total(f"q={'a' * 3000}") == (0, "0", "0")


@pytest.mark.usefixtures("students")
@pytest.mark.parametrize(
    "query",
    [
        *("min=5&max=4", "min=x", "min=NaN", "max=-Infinity", "max=1e400", f"min={'9' * 400}"),
        *("status=x", "group=x", "page=x", "page=-1", "page=NaN", f"page={'9' * 40}"),
    ],
)
def test_an_invalid_query_gets_an_error_message(client_as: ClientAs, query: str) -> None:
    client = client_as("admin")
    answer = client.get(f"{PATH}?{query}", headers=JSON)
    assert (answer.status_code, bool(answer.get_json()["error"]["message"])) == (422, True)
    assert client.get(f"{PATH}?{query}").status_code == 422


@pytest.mark.usefixtures("students")
@pytest.mark.parametrize("query", ["", "period=20262027&status=tunggakan", "min=1&group=category"])
def test_a_page_number_beyond_the_end_opens_the_last_page(client_as: ClientAs, query: str) -> None:
    client = client_as("admin")
    for number in ("2", "1000000", "9" * 18):
        found = client.get(f"{PATH}?{query}&page={number}", headers=JSON).get_json()
        assert (found["page"], found["pages"]) == (1, 1)
        assert len(found["siswa"]) == found["total"]["siswa"] > 0
        assert client.get(f"{PATH}?{query}&page={number}").status_code == 200


@pytest.mark.usefixtures("students")
@pytest.mark.parametrize(
    "search", ["a" * 10_000, "xyz " * 2_500, "%_\\" * 3_000, "';DROP TABLE siswa;--"]
)
def test_a_very_long_or_malicious_search_finds_nobody(client_as: ClientAs, search: str) -> None:
    client = client_as("admin")
    query = {"q": search, "period": "20262027", "group": "category"}
    found = client.get(PATH, query_string=query, headers=JSON).get_json()
    assert (found["total"]["siswa"], found["groups"]) == (0, [])
    assert client.get(PATH, query_string=query).status_code == 200
    assert client.get(PATH, headers=JSON).get_json()["total"]["siswa"] == 3


@pytest.mark.usefixtures("students")
@pytest.mark.parametrize("group", ["unit", "asrama", "period", "category"])
@pytest.mark.parametrize(
    "also", ["", "&min=50", "&max=400000", "&status=tunggakan", "&status=belum_sinkron", "&q=a"]
)
def test_each_group_links_to_its_students(
    client_as: ClientAs, total: Callable[[str], tuple[int, str, str]], group: str, also: str
) -> None:
    """A group of bills has no link if the other filters are about sums or statuses, because with
    the link's period or category they would find other students."""
    client = client_as("bendahara")
    answer = client.get(f"{PATH}?group={group}{also}", headers=JSON).get_json()
    page = client.get(f"{PATH}?group={group}{also}").text
    links = re.findall(r'<a class="row-link" href="\?([^"]+)"', page)
    if group in ("period", "category") and also not in ("", "&q=a"):
        assert links == []
        return
    assert len(links) == len(answer["groups"]) >= (1 if also else 2)
    for link, one in zip(links, answer["groups"], strict=True):
        expected = (one["siswa"], one["tunggakan"], one["lebih_bayar"])
        assert total(unescape(link)) == expected, link


@pytest.mark.usefixtures("students")
def test_the_link_back_from_a_student_keeps_the_filters(client_as: ClientAs) -> None:
    client = client_as("bendahara")
    page = client.get(f"{PATH}?unit=MTs&min=1000&sort=tunggakan").text
    assert "Siti &lt;b&gt;Rahma&lt;/b&gt;" in page
    assert "Rp\u00a0350.000" in page
    link = unescape(re.findall(r'href="(/admin/siswa/100001[^"]*)"', page)[0])
    back = re.findall(r'class="back" href="([^"]+)"', client.get(link).text)[0]
    assert unescape(back) == f"{PATH}?unit=MTs&min=1000&sort=tunggakan"
    for foreign in ("https://example.org/?", "//example.org/admin/siswa?", "javascript:alert(1)"):
        shown = client.get("/admin/siswa/100001", query_string={"back": foreign}).text
        assert 'class="back" href="/admin/siswa"' in shown


@pytest.mark.usefixtures("students")
def test_a_chip_removes_its_filter(client_as: ClientAs) -> None:
    page = client_as("admin").get(f"{PATH}?unit=MTs&unit=MA&period=20252026&q=siti").text
    chips = [unescape(link) for link in re.findall(r'class="chip" href="\?([^"]*)"', page)]
    assert "q=siti&unit=MA&period=20252026" in chips
    assert "q=siti&unit=MTs&unit=MA" in chips
    assert "unit=MTs&unit=MA&period=20252026" in chips
    assert "2025/2026" in page


@pytest.mark.usefixtures("students")
def test_the_totals_show_the_number_of_students_never_synced(client_as: ClientAs) -> None:
    client = client_as("admin")
    assert "1 siswa belum pernah disinkronkan" in client.get(PATH).text
    nobody = client.get(f"{PATH}?unit=MA&min=1000000").text
    assert "1 siswa belum disinkronkan, jadi tagihannya belum diketahui." in nobody


@pytest.mark.usefixtures("students")
def test_a_loss_is_shown_with_both_figures_and_a_link(app: Flask, client_as: ClientAs) -> None:
    figures = {"paid_before": 5_000_000, "paid_after": 4_000_000, "vanished": 1}
    gone = {"vanished_billed": 1_000_000, "vanished_name": "20252026 · SPP · Juli"}
    with app.app_context(), transaction() as session:
        session.add(PaymentLoss(siswa_id=1, **figures, **gone))
    page = client_as("bendahara").get(f"{PATH}?min=1&sort=tunggakan").text
    assert "Dibayar turun dari Rp\u00a050.000 menjadi Rp\u00a040.000." in page
    assert "1 tagihan hilang (Rp\u00a010.000), misalnya 20252026 · SPP · Juli." in page
    chips = re.findall(r'class="chip" href="\?(status=\w+)', page)
    assert chips == ["status=dibayar_turun", "status=tagihan_hilang"]


@pytest.mark.usefixtures("students")
def test_files_contain_the_filtered_students(client_as: ClientAs) -> None:
    client = client_as("bendahara")
    page = client.get(f"{PATH}?unit=MTs&unit=MA&min=1").text
    addresses = [unescape(link) for link in re.findall(r'href="([^"]*)" download', page)]
    assert [link.partition("?")[0] for link in addresses] == [f"{PATH}.xlsx", f"{PATH}.csv"]
    xlsx, csv = (client.get(link) for link in addresses)
    assert csv.text.count("\n") == 3
    assert csv.mimetype == "text/csv"
    assert xlsx.data.startswith(b"PK")
    assert "attachment; filename=tunggakan.xlsx" in xlsx.headers["Content-Disposition"]
    for who, status in (("operator", 403), ("member", 403), ("nobody", 302)):
        assert client_as(who).get(f"{PATH}.csv").status_code == status
        assert client_as(who).get(f"{PATH}.xlsx").status_code == status
    assert client.get(f"{PATH}.csv?status=x").status_code == 422


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.usefixtures("students")
def test_a_file_that_meets_a_time_limit_of_the_database_is_written_by_a_job(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def meet_the_limit(_written: int) -> None:
        connection = db.session.connection()
        setting, ours, short = IDLE_LIMIT[connection.dialect.name]
        assert shown(connection, setting) == ours, "a request has this limit"
        connection.exec_driver_sql(f"SET {setting} = {short}")
        driver: Any = connection.connection.dbapi_connection
        ended, _, _ = select.select([getattr(driver, "_sock", driver)], [], [], 30)
        assert ended, "the database did not end the session"

    monkeypatch.setattr(tunggakan, "yield_control", meet_the_limit)
    answer = client_as("bendahara").get(f"{PATH}.{kind}?min=1", headers=JSON)
    assert (answer.status_code, answer.json["kind"], answer.json["total"]) == (202, kind, 2)
    with app.app_context():
        writing.write(answer.json["id"])
    assert client_as("bendahara").get(answer.json["url"]).status_code == 200
