"""Which differences of payments are listed; sums that follow from items are not."""

from decimal import Decimal
from typing import Any

import pytest

from myukm.domain.sync.diff import MAX_CHANGES, Change, compare

YEAR = "20252026"


def item(name: str, billed: Any, paid: Any) -> dict[str, Any]:
    left = Decimal(billed) - Decimal(paid)
    return {
        "unit_name": name,
        "amount_billed": billed,
        "amount_paid": paid,
        "remaining_balance": str(left),
    }


def summary(items: list[dict[str, Any]]) -> dict[str, Any]:
    billed, paid, left = (
        sum(Decimal(i[name]) for i in items)
        for name in ("amount_billed", "amount_paid", "remaining_balance")
    )
    sums = {"total_billed": str(billed), "total_paid": str(paid), "total_remaining": str(left)}
    return {**sums, "fully_paid": left == 0}


def period(*items: dict[str, Any], name: str = YEAR, **more: Any) -> dict[str, Any]:
    sums = summary(list(items))
    category = {"category_name": "SPP", "summary": dict(sums), "items": list(items)}
    return {"period_id": name, "summary": sums, "categories": [category], **more}


BEFORE = [period(item("Juli", "150000", 0), item("Agustus", "150000", 0))]


def fields(changes: list[Change]) -> set[str]:
    return {change.field for change in changes}


def test_equal_money_is_no_change() -> None:
    assert (
        compare(BEFORE, [period(item("Juli", 150000, "0.00"), item("Agustus", "150000", 0))]) == []
    )


def test_a_payment_is_listed_by_its_item_and_not_again_by_each_sum() -> None:
    after = [period(item("Juli", "150000", "150000"), item("Agustus", "150000", 0))]
    assert compare(BEFORE, after) == [
        Change(YEAR, "SPP/Juli/amount_paid", "0", "150000"),
        Change(YEAR, "SPP/Juli/remaining_balance", "150000", "0"),
    ]


def test_a_sum_that_changed_without_its_items_is_listed() -> None:
    after = [{**BEFORE[0], "summary": {**BEFORE[0]["summary"], "total_paid": "5"}}]
    assert compare(BEFORE, after) == [Change(YEAR, "summary/total_paid", "0", "5")]


def test_a_new_period_is_listed_by_its_sums() -> None:
    found = compare(BEFORE, [*BEFORE, period(item("Juli", "200000", 0), name="20262027")])
    assert {change.period_id for change in found} == {"20262027"}
    assert Change("20262027", "summary/total_billed", None, "200000") in found
    assert not any(change.field.startswith("SPP/") for change in found)


def test_a_vanished_period_is_listed_with_its_items() -> None:
    found = compare(BEFORE, [])
    assert Change(YEAR, "SPP/Juli/amount_billed", "150000", None) in found
    assert Change(YEAR, "SPP/Agustus/remaining_balance", "150000", None) in found


def test_unknown_fields_are_compared_as_json() -> None:
    found = compare(BEFORE, [{**BEFORE[0], "note": {"a": [Decimal("1.50")]}}])
    assert found == [Change(YEAR, "note", None, '{"a":[1.50]}')]


def test_items_of_the_same_name_are_numbered() -> None:
    twice = [period(item("Juli", "1", 0), item("Juli", "2", 0))]
    after = [period(item("Juli", "1", 0), item("Juli", "2", "2"))]
    assert "SPP/Juli #2/amount_paid" in fields(compare(twice, after))


@pytest.mark.parametrize(
    "odd", [None, {}, "text", 3, [None], [3], [{"period_id": YEAR}], [{"categories": 7}]]
)
def test_values_of_another_form_raise_no_error(odd: Any) -> None:
    assert compare(BEFORE, odd)
    assert compare(odd, BEFORE)
    assert compare(odd, odd) == []


def test_at_most_max_changes_are_listed_and_the_rest_counted() -> None:
    many = [period(*(item(f"Unit {n}", "1", 0) for n in range(100)))]
    found = compare(many, [])
    assert len(found) == MAX_CHANGES
    assert found[-1].field == "more"
    assert int(found[-1].new or 0) > 100


def test_names_are_cut_to_the_length_of_their_columns() -> None:
    long = "x" * 500
    (change, *_) = compare([], [period(item("Juli", "1", 0), name=long, **{long: long})])
    assert len(change.period_id) <= 64
    assert all(len(change.field) <= 255 for change in compare([period(item(long, "1", 0))], []))
