"""What a student owes by the items; which figures of the API disagree, and by how much."""

import json
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask

from myukm.db import json as decimal_json
from myukm.domain.payment_api.body import InvalidBody
from myukm.domain.payment_api.owed import Disagreement, count_period
from myukm.domain.payment_api.parser import Payments, parse, plain
from tests.support import bills

Periods = list[dict[str, Any]]


def item(billed: Any, paid: Any, rest: Any, name: str = "Juli") -> dict[str, Any]:
    amounts = {"amount_billed": billed, "amount_paid": paid, "remaining_balance": rest}
    return {"unit_name": name, **amounts}


def sums(billed: Any, paid: Any, rest: Any, fully_paid: Any) -> dict[str, Any]:
    amounts = {"total_billed": billed, "total_paid": paid, "total_remaining": rest}
    return {**amounts, "fully_paid": fully_paid}


def period(*items: dict[str, Any], said: Any = None, of_category: Any = None) -> Periods:
    """One period with one category; its summaries are right unless they are given."""
    right = bills.summary(list(items))
    category = {"category_name": "SPP", "summary": of_category or right, "items": list(items)}
    own = {"summary": said or right, "categories": [category]}
    return [{"period_id": "20252026", "kelas_info": "VII A", **own}]


def answer(periods: Periods) -> Payments:
    account = {"idperson": "7", "saldo": 0, "periods": periods}
    return parse(json.dumps({"data": [account]}).encode(), "7")


def disagreements(periods: Periods) -> list[Disagreement]:
    known = plain(decimal_json.loads(json.dumps(periods)))
    return [found for one in known for found in count_period(one).disagreements]


def test_an_overpaid_item_does_not_pay_for_another() -> None:
    found = answer(period(item(200, 0, 200), item(300, 550, -250, "Agustus"))).owed
    assert (found.tunggakan, found.lebih_bayar) == (200, 250)
    assert (found.status, found.lunas, found.tidak_cocok) == ("tunggakan", False, False)


@pytest.mark.parametrize("periods", [[], [{**period()[0], "categories": []}], period()])
def test_a_student_without_bills_is_not_paid_up(periods: Periods) -> None:
    found = answer(periods).owed
    assert (found.status, found.lunas, found.tidak_cocok) == ("tanpa_tagihan", False, False)


def test_unpaid_items_count_although_a_summary_claims_that_all_is_paid() -> None:
    settled = sums(900, 900, 0, fully_paid=True)
    periods = period(
        item(450, 0, 450), item(450, 0, 450, "Agustus"), said=settled, of_category=settled
    )
    found = answer(periods).owed
    assert (found.tunggakan, found.status, found.tidak_cocok) == (900, "tunggakan", True)
    assert disagreements(periods) == [
        Disagreement(("20252026", "SPP"), "total_paid", 900, 0),
        Disagreement(("20252026", "SPP"), "total_remaining", 0, 900),
        Disagreement(("20252026",), "total_paid", 900, 0),
        Disagreement(("20252026",), "total_remaining", 0, 900),
    ]


def test_a_remainder_that_is_not_billed_minus_paid_is_a_disagreement() -> None:
    of_sum = period(item(500, 200, 300), said=sums(500, 200, 0, fully_paid=True))
    assert answer(of_sum).owed.status == "tunggakan"
    assert disagreements(of_sum) == [Disagreement(("20252026",), "total_remaining", 0, 300)]
    of_item = period(item(500, 200, 0))
    assert answer(of_item).owed.tidak_cocok
    assert disagreements(of_item) == [
        Disagreement(("20252026", "SPP", "Juli"), "remaining_balance", 0, 300)
    ]
    netted = period(item(500, 200, 0), item(200, 200, 300, "Agustus"))
    assert len(disagreements(netted)) == 2


def test_rounding_errors_below_half_a_rupiah_are_ignored() -> None:
    noisy = sums(80_000.1, 80_000, 3e-11, fully_paid=False)
    found = answer(period(item(80_000, 80_000, 3e-11), said=noisy, of_category=noisy)).owed
    assert (found.tunggakan, found.status, found.tidak_cocok) == (0, "lunas", False)
    almost, half = (answer(period(item(rest, 0, rest))).owed for rest in (0.49, 0.5))
    assert (almost.status, half.status) == ("lunas", "tunggakan")
    assert half.tunggakan == Decimal("0.50")
    over = answer(period(item(0, 0.49, -0.49), item(0, 0.75, -0.75))).owed
    assert (over.lebih_bayar, over.status) == (Decimal("0.75"), "lunas")


@pytest.mark.parametrize("fully_paid", [False, 0])
@pytest.mark.parametrize("level", ["said", "of_category"])
def test_a_wrong_unpaid_flag_is_a_disagreement_but_no_debt(level: str, fully_paid: Any) -> None:
    wrong = {level: sums(500, 500, 0, fully_paid)}
    periods = period(item(500, 500, 0), **wrong)
    found = answer(periods).owed
    assert (found.status, found.tidak_cocok) == ("lunas", True)
    assert [(one.field, one.stated, one.counted) for one in disagreements(periods)] == [
        ("fully_paid", 0, 0)
    ]
    assert count_period(plain(periods)[0]).status == "lunas"


def test_a_wrong_paid_flag_does_not_settle_a_debt() -> None:
    periods = period(item(500, 100, 400), said=sums(500, 100, 400, fully_paid=True))
    assert answer(periods).owed.status == "tunggakan"
    assert disagreements(periods) == [Disagreement(("20252026",), "fully_paid", 1, 400)]


@pytest.mark.parametrize("fully_paid", [True, False])
def test_a_flag_that_fits_sums_with_offset_overpayments_is_no_disagreement(
    fully_paid: bool,
) -> None:
    said = sums(500, 500, 0, fully_paid)
    periods = period(item(200, 0, 200), item(300, 500, -200), said=said, of_category=said)
    assert disagreements(periods) == []


def test_categories_and_periods_without_items_count_by_their_summary() -> None:
    owing = sums(700, 100, 600, fully_paid=False)
    bare = [{"period_id": 1, "kelas_info": None, "summary": owing, "categories": []}]
    assert answer(bare).owed[:2] == (600, 0)
    assert not answer(bare).owed.tidak_cocok
    empty_category = period(said=owing, of_category=owing)
    assert answer(empty_category).owed[:2] == (600, 0)
    only_above = period(said=owing)
    assert answer(only_above).owed[:2] == (600, 0)
    hidden = period(said=sums(0, 0, 0, fully_paid=True), of_category=owing)
    assert answer(hidden).owed.tunggakan == 600
    assert answer(hidden).owed.tidak_cocok
    wrong = [bare[0] | {"summary": sums(700, 100, 0, fully_paid=True)}]
    assert answer(wrong).owed.tidak_cocok
    silent = [bare[0] | {"summary": sums(0, 0, 0, fully_paid=False)}]
    assert (answer(silent).owed.status, answer(silent).owed.tidak_cocok) == ("tanpa_tagihan", False)


def test_very_large_amounts_are_exact_or_refused(app: Flask) -> None:
    large = 10**13 - 1
    assert answer(period(item(large, 0, large))).owed.tunggakan == large
    assert answer(period(item(0, large, -large))).owed.lebih_bayar == large
    for rest in (large, -large):
        twice = [item(max(rest, 0), max(-rest, 0), rest, name) for name in ("Juli", "Agustus")]
        with app.app_context(), pytest.raises(InvalidBody):
            answer(period(*twice, said=sums(0, 0, 0, fully_paid=True)))


def test_a_negative_bill_counts_as_overpaid() -> None:
    found = answer(period(item(-250, 0, -250), item(400, 0, 400, "Agustus"))).owed
    assert (found.tunggakan, found.lebih_bayar) == (400, 250)


def test_random_students_owe_the_sum_of_their_items() -> None:
    seen: Counter[tuple[str, bool]] = Counter()
    for periods in bills.random_students(9, 3_000):
        right = bills.truth(periods)
        found = answer(periods).owed
        shown = (Fraction(found.tunggakan), Fraction(found.lebih_bayar), *found[2:])
        assert shown == right, json.dumps(periods)
        assert found.tidak_cocok == bool(disagreements(periods))
        seen[found.status, found.tidak_cocok] += 1
    assert len(seen) == 5, seen
    assert min(seen.values()) > 20, seen
