"""The sample campus: its size, the same data each time, and sums that add up."""

from collections import Counter

import pytest

from devtools.sample import ACCOUNTS, UKMS, index_of, payments, student, students
from devtools.sample.payments import _pay_once_more
from tests.support.bills import truth

ROSTER = list(students())


def all_items(account: dict) -> list[dict]:
    return [
        item
        for period in account["periods"]
        for category in period["categories"]
        for item in category["items"]
    ]


def test_the_roster_has_6102_different_students():
    assert len(ROSTER) == 6102
    assert len({s["idperson"] for s in ROSTER}) == 6102
    assert len({s["nama"] for s in ROSTER}) > 5000


def test_a_student_is_the_same_each_time_and_in_rosters_of_any_size():
    assert student(0) == ROSTER[0] == next(students(3))
    assert ROSTER[0]["nama"] == "Mukhlis Abdullah Budiman"
    assert payments(ROSTER[7]) == payments(student(7))


@pytest.mark.parametrize("idperson", ["", "0", "100000", "106103", "0100001", "١٠٠٠٠١", "x" * 5000])
def test_an_id_that_is_not_on_the_roster_has_no_index(idperson: str):
    assert index_of(idperson) is None


def test_every_id_on_the_roster_leads_back_to_its_student():
    assert [index_of(s["idperson"]) for s in ROSTER] == list(range(6102))


def test_summaries_are_the_sums_of_their_items_except_of_a_few_students():
    wrong_summaries = 0
    for one in ROSTER[:300]:
        for account in payments(one):
            if truth(account["periods"]).tidak_cocok:
                wrong_summaries += 1
                continue
            for period in account["periods"]:
                for part in (period, *period["categories"]):
                    check_summary(part)
    assert 0 < wrong_summaries < 10


def check_summary(part: dict) -> None:
    items = part.get("items") or [i for c in part["categories"] for i in c["items"]]
    billed = sum(int(item["amount_billed"]) for item in items)
    paid = sum(int(item["amount_paid"]) for item in items)
    remaining = sum(int(item["remaining_balance"]) for item in items)
    summary = part["summary"]
    assert int(summary["total_billed"]) == billed
    assert int(summary["total_paid"]) == paid
    assert int(summary["total_remaining"]) == billed - paid == remaining
    assert summary["fully_paid"] is (remaining <= 0)


def test_there_are_all_kinds_of_payers():
    kinds: Counter[str] = Counter()
    for one in ROSTER:
        data = payments(one)
        left = [int(i["remaining_balance"]) for a in data for i in all_items(a)]
        kinds["empty"] += not data
        kinds["overpaid"] += any(rest < 0 for rest in left)
        kinds["behind"] += sum(left) > 0
        kinds["both"] += min(left, default=0) < 0 < max(left, default=0)
        kinds["wrong summary"] += any(truth(a["periods"]).tidak_cocok for a in data)
        kinds["text"] += any(isinstance(a["saldo"], str) for a in data)
    assert kinds["empty"] > 100
    assert kinds["overpaid"] > 100
    assert kinds["text"] > 300
    assert kinds["both"] > 30
    assert kinds["wrong summary"] > 30
    assert 1500 < kinds["behind"] < 3000


def test_a_change_settles_the_oldest_open_item_then_pays_in_advance():
    items = [{"amount_billed": 10, "amount_paid": 10}, {"amount_billed": 20, "amount_paid": 5}]
    _pay_once_more(items)
    assert items[1]["amount_paid"] == 20
    _pay_once_more(items)
    assert items[1]["amount_paid"] == 50_020


def test_accounts_and_units_fit_together():
    nims = {account.nim for account in ACCOUNTS}
    assert [a.role for a in ACCOUNTS[:4]] == ["admin", "bendahara", "operator", "anggota"]
    assert len(UKMS) == 8
    for ukm in UKMS:
        assert set(ukm.members) <= nims
        assert len(set(ukm.members)) == len(ukm.members)
        assert {line.nim for line in ukm.lines} <= set(ukm.members)
        ages = [line.minutes_ago for line in ukm.lines]
        assert ages == sorted(ages, reverse=True)
        assert ages[-1] > 0
