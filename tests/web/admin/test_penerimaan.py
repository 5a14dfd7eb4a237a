"""The page of received payments: roles, figures, the file, an empty campus."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.db import clock
from myukm.db.session import transaction
from myukm.domain.income import journal
from myukm.models import ClosedDay, DailyBalance, PaymentJournal

ClientAs = Callable[[str], FlaskClient]
JSON = {"Accept": "application/json"}
PATH = "/admin/penerimaan"
NOTHING = dict.fromkeys(("owed", "overpaid", "paid", "received", "corrected", "lost"), 0)


@pytest.fixture
def today(app: Flask, monkeypatch: pytest.MonkeyPatch) -> date:
    """The campus's day, on which the clock stands, because a test may run over midnight.

    Of this day the journal has 150,000.50 received and 20,000 corrected in the unit MTs, and 70,000
    lost without a unit. The month before ended with 900,000 owed and 300,000 received.
    """
    noon = datetime(2026, 9, 20, 5, tzinfo=UTC)
    monkeypatch.setattr(clock, "now", lambda: noon)
    with app.app_context():
        day = date.fromisoformat(journal.today())
        before = (day.replace(day=1) - timedelta(days=1)).isoformat()
        rows = (
            ("MTs", "=1+1", {"received": 15_000_050, "corrected": 0, "owed": -15_000_050}),
            ("MTs", "SPP", {"received": 0, "corrected": 2_000_000, "owed": 0}),
            ("", "SPP", {"lost": 7_000_000}),
        )
        with transaction() as session:
            session.add(ClosedDay(day=before))
            for unit, category, amounts in rows:
                where = {"day": day.isoformat(), "unit": unit, "category": category}
                session.add(PaymentJournal(**where, **{**NOTHING, **amounts}))
            balance = {**NOTHING, "owed": 90_000_000, "received": 30_000_000}
            session.add(DailyBalance(day=before, unit="MTs", category="SPP", **balance))
    return day


@pytest.mark.parametrize("path", [PATH, f"{PATH}.csv"])
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
def test_only_admins_and_treasurers_see_received_payments(
    client_as: ClientAs, who: str, page: int, data: int, path: str
) -> None:
    client = client_as(who)
    assert client.get(path).status_code == page
    assert client.get(path, headers=JSON).status_code == data


def test_the_json_has_the_figures_of_the_journal(client_as: ClientAs, today: date) -> None:
    found = client_as("bendahara").get(PATH, headers=JSON).get_json()
    figures = {"received": "150000.50", "corrected": "20000", "lost": "70000", "net": "130000.50"}
    for name in ("today", "month"):
        assert found[name].items() >= figures.items(), name
    assert found["today"]["from"] == found["today"]["to"] == today.isoformat()
    assert found["month_before"]["received"] == "300000"
    assert [one["month"] for one in found["months"]][-1] == f"{today:%Y-%m}" == found["chosen"]
    assert [one["owed"] for one in found["months"]][-3:] == [None, "900000", "749999.50"]
    units = {part.pop("key"): part for part in found["units"]}
    assert units["MTs"]["before"]["received"] == "300000"
    assert units[""]["lost"] == "70000"
    assert [part["key"] for part in found["categories"]] == ["=1+1", "SPP"]
    assert found["as_of"].endswith("Z")
    assert found["since"] == today.replace(day=1).isoformat()


def test_the_page_has_the_same_figures_as_the_json(client_as: ClientAs, today: date) -> None:
    page = client_as("bendahara").get(PATH).text.replace("\u00a0", " ")
    for text in ("Rp 150.000,50", "koreksi −Rp 20.000", "Rp 749.999,50", "(kosong)", "=1+1"):
        assert text in page, text
    assert "Rp 70.000 pernah dibayar" in page
    before = today.replace(day=1) - timedelta(days=1)
    page = client_as("bendahara").get(f"{PATH}?month={before:%Y-%m}").text
    assert "pernah dibayar" not in page
    assert 'aria-current="true"' in page


def test_the_csv_file_escapes_formulas(client_as: ClientAs, today: date) -> None:
    answer = client_as("bendahara").get(f"{PATH}.csv?month={today:%Y-%m}")
    assert f"filename=penerimaan-{today:%Y-%m}.csv" in answer.headers["Content-Disposition"]
    day = today.isoformat()
    assert answer.data.decode("utf-8-sig").splitlines() == [
        "day,unit,category,received,corrected,lost",
        f"{day},,SPP,0,0,70000",
        f"{day},MTs,'=1+1,150000.50,0,0",
        f"{day},MTs,SPP,0,20000,0",
    ]
    everything = client_as("bendahara").get(f"{PATH}.csv").data.decode()
    assert everything.startswith("\ufeffmonth,unit,category")
    before = (today.replace(day=1) - timedelta(days=1)).isoformat()
    assert f"{before[:7]},MTs,SPP,300000,0,0" in everything


@pytest.mark.parametrize("month", ["2026", "2026-13", "0001-01", "9999-12", "2026-1١", "x"])
def test_an_invalid_month_gets_an_error_message(client_as: ClientAs, month: str) -> None:
    for path in (PATH, f"{PATH}.csv"):
        answer = client_as("bendahara").get(f"{path}?month={month}", headers=JSON)
        assert answer.status_code == 422, month
        assert "2026-11" in answer.get_json()["error"]["message"]


def test_the_page_without_payments_explains_what_it_will_show(client_as: ClientAs) -> None:
    page = client_as("admin").get(PATH).text
    assert "saldo awal" in page
    assert "penerimaan.csv" not in page
    found = client_as("admin").get(PATH, headers=JSON).get_json()
    assert (found["since"], found["units"], found["month"]["received"]) == (None, [], "0")
