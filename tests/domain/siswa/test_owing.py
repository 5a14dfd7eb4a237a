"""Totals, groups and filters equal brute force over the stored JSON, on every database."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from myukm.db.session import transaction
from myukm.domain.payment_api.parser import parse
from myukm.domain.payment_api.work_item import Item
from myukm.domain.siswa import owing
from myukm.domain.siswa.filters import GROUPS, SORTS, STATUSES, Filters
from myukm.domain.siswa.filters import parse as filters_of
from myukm.domain.sync import results
from myukm.errors import Invalid
from myukm.extensions import db
from myukm.models import Siswa, SyncItem, SyncRun
from tests.conftest import every_database
from tests.support import bills
from tests.support.owing import COLUMNS, Query, answer, matching
from tests.support.owing import bills as bills_of

COUNT, QUERIES = 90, 60
PLACES = {
    "unit": ("MTs", "mts", "MA", ""),
    "kelas": ("VII A", "VII B", "VIII A"),
    "asrama": ("Aisyah", "Áisyah", ""),
    "kamar": ("1", "2", "'; DROP TABLE siswa; --"),
    "diniyah": ("Ula", "Wustha"),
}


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


def create_students(rng: random.Random) -> None:
    """Add random students, sync nine in ten, and store five as failed in a run."""
    everybody = {
        f"{n:03}": p for n, p in enumerate(bills.random_students(rng.randrange(10**6), COUNT), 1)
    }
    places = ({COLUMNS[p]: rng.choice(names) for p, names in PLACES.items()} for _ in everybody)
    with transaction() as session:
        for idperson, place in zip(everybody, places, strict=True):
            session.add(Siswa(idperson=idperson, nama=f"Nama {idperson}", **place))
        session.add(run := SyncRun())
        session.flush()
        failed = rng.sample(sorted(everybody), 5)
        session.add_all(SyncItem(run_id=run.id, idperson=f, status="failed") for f in failed)
    sync({one: periods for one, periods in everybody.items() if rng.random() < 0.9})


def sync(everybody: dict[str, Any]) -> None:
    items = []
    for idperson, periods in everybody.items():
        account = {"idperson": idperson, "saldo": 0, "periods": periods}
        body = json.dumps({"data": [account]}).encode()
        items.append(Item(1, idperson, answer=parse(body, idperson)))
    with transaction() as session:
        results.take_in(session, None, items, guarded=False)


def everybody() -> list[Siswa]:
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(sa.select(Siswa)))


def failed() -> set[str]:
    return set(db.session.scalars(sa.select(SyncItem.idperson)))


def queries(rng: random.Random, students: list[Siswa]) -> Iterator[Query]:
    """Yield random combinations of filters, with periods and categories of these students."""
    found = sorted({(b.period, b.category) for one in students for b in bills_of(one)})
    for _ in range(QUERIES):
        query: Query = {}
        for name, names in PLACES.items():
            if rng.random() < 0.15:
                query[name] = rng.sample(names, rng.randint(1, 2))
        if rng.random() < 0.4:
            query["period"] = [rng.choice(found)[0], "20002001"]
        if rng.random() < 0.4:
            query["category"] = [rng.choice(found)[1]]
        if rng.random() < 0.4:
            query["status"] = rng.sample(STATUSES, rng.randint(1, 2))
        if rng.random() < 0.2:
            query["min"] = rng.choice([1, 75_000, 350_000, "1.250.000"])
        elif rng.random() < 0.3:
            query["max"] = rng.choice([0, 75_000, 10**7])
        if rng.random() < 0.2:
            query["q"] = rng.choice(["nama", "1", "02 nama", "x"])
        query["group"] = rng.choice(GROUPS)
        query["sort"] = rng.choice(SORTS)
        yield query


def values(query: Query) -> dict[str, list[str]]:
    """Return a query in the form of URL parameters."""
    lists = {name: one if isinstance(one, list) else [str(one)] for name, one in query.items()}
    return {name: [one or "(kosong)" for one in list_] for name, list_ in lists.items()}


def plain(query: Query) -> Query:
    amounts = {n: str(query[n]).replace(".", "") for n in ("min", "max") if n in query}
    return query | amounts


@every_database
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.usefixtures("inside")
def test_random_queries_equal_brute_force(seed: int) -> None:
    rng = random.Random(seed)
    create_students(rng)
    students, failed_ids = everybody(), failed()
    matched = 0
    for query in queries(rng, students):
        report = owing.as_json(owing.report(filters_of(values(query))))
        expected = answer(students, failed_ids, plain(query))
        groups = {group.pop("key"): group for group in report["groups"]}
        assert {"total": report["total"], "groups": groups} == expected, query
        found = matching(students, failed_ids, plain(query))
        check_page(report, found, query)
        matched += len(found)
    assert matched > 10 * QUERIES


@every_database
@pytest.mark.usefixtures("inside")
def test_groups_equal_brute_force_after_bills_were_replaced() -> None:
    rng = random.Random(8)
    create_students(rng)
    ids = [one.idperson for one in everybody()]
    sync(dict(zip(ids[:60], bills.random_students(9, 60), strict=True)))
    students, failed_ids = everybody(), failed()
    for group in ("period", "category"):
        for query in ({}, {"status": ["lunas"]}, {"unit": ["MTs", ""]}, {"min": 75_000}):
            report = owing.as_json(owing.report(filters_of(values(query | {"group": [group]}))))
            groups = {one.pop("key"): one for one in report["groups"]}
            expected = answer(students, failed_ids, query | {"group": group})
            assert {"total": report["total"], "groups": groups} == expected, query


def check_page(report: dict[str, Any], found: list[Any], query: Query) -> None:
    """Assert that the first page has the right students, in order, with their amounts."""
    assert report["pages"] == max(1, -(-len(found) // 50))
    right = {one.student.idperson: one for one in found}
    assert len(report["siswa"]) == min(50, len(found))
    for line in report["siswa"]:
        one = right[line["idperson"]]
        assert (float(line["tunggakan"]), line["lunas"]) == (float(one.tunggakan), one.lunas), query
        assert float(line["lebih_bayar"]) == float(one.lebih_bayar), query
    if query["sort"] in ("tunggakan", "lebih_bayar"):
        listed = [float(line[query["sort"]]) for line in report["siswa"]]
        highest = sorted((float(getattr(one, query["sort"])) for one in found), reverse=True)
        assert listed == highest[:50], query


@every_database
@pytest.mark.usefixtures("inside")
def test_every_student_is_on_one_page_in_every_order() -> None:
    create_students(random.Random(5))
    for sort in SORTS:
        pages = [owing.report(Filters(sort=sort), page).page.items for page in (1, 2)]
        ids = [line.student.idperson for page in pages for line in page]
        assert sorted(ids) == sorted(one.idperson for one in everybody()), sort
    assert owing.report(Filters(), 10**18 - 1).page.page == 2


@every_database
@pytest.mark.usefixtures("inside")
def test_every_student_who_owes_in_a_period_is_on_one_page_in_every_order() -> None:
    create_students(random.Random(7))
    students = everybody()
    periods = sorted({bill.period for one in students for bill in bills_of(one)})
    query: Query = {"period": periods, "status": ["tunggakan"]}
    owing_ = matching(students, set(), query)
    for sort in SORTS:
        for group in (None, "unit", "category"):
            filters = filters_of(
                values(query | {"sort": [sort]} | ({"group": [group]} if group else {}))
            )
            reports = [owing.report(filters, page, 10) for page in range(1, len(owing_) // 10 + 2)]
            found = [line for report in reports for line in report.page.items]
            ids = [line.student.idperson for line in found]
            assert sorted(ids) == sorted(one.student.idperson for one in owing_), sort
            whole = owing.report(filters, 1, 100)
            assert [line.student.idperson for line in whole.page.items] == ids, sort
            last = owing.report(filters, 10**18 - 1, 10)
            assert last.page.items == reports[-1].page.items
            assert last.page.page == len(reports)
            assert last[:-1][1:] == whole[:-1][1:]
    nobody = owing.report(filters_of({"period": ["x"], "min": ["1"], "group": ["unit"]}))
    assert (nobody.total.siswa, nobody.groups, nobody.page.items) == (0, [], [])


@every_database
@pytest.mark.usefixtures("inside")
def test_never_synced_students_are_counted_whatever_amounts_are_filtered() -> None:
    create_students(random.Random(6))
    unknown = [one for one in everybody() if one.pembayaran is None]
    of_unit = [one for one in unknown if one.unit_formal == "MA"]
    report = owing.report(filters_of({"unit": ["MA"], "status": ["tunggakan"], "min": ["1"]}))
    assert report.never_synced == len(of_unit) > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "mungkin"},
        {"sort": "umur"},
        {"group": "nama"},
        {"filter": "x"},
        {"min": "banyak"},
        {"min": "-1"},
        {"max": "1e400"},
        {"min": "NaN"},
        {"max": "Infinity"},
        {"max": "9" * 400},
        {"min": "١٢"},
        {"min": "2", "max": "1"},
        {"since": "kemarin"},
        {"since": "0001-01-01"},
        {"since": "9999-12-31"},
    ],
)
def test_an_invalid_filter_is_refused_by_name(inside: Flask, wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid, match=next(iter(wrong))):
        filters_of({name: [value] for name, value in wrong.items()})


def test_filters_are_equal_after_a_round_trip_through_a_url() -> None:
    given = {
        "unit": ["MTs", "MA"],
        "asrama": ["(kosong)"],
        "period": ["20252026 "],
        "min": ["350.000"],
        "status": ["lunas"],
        "since": ["2026-11-25"],
        "q": ["siti"],
    }
    filters = filters_of(given)
    assert (filters.asrama, filters.period, filters.min) == (("",), ("20252026",), 35_000_000)
    again: dict[str, list[str]] = {}
    for name, value in filters.query():
        again.setdefault(name, []).append(value)
    assert filters_of(again) == filters
