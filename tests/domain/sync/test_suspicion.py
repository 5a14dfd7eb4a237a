"""Which decreases of payments are so large that the guard quarantines the answer."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from myukm.domain.payment_api.parser import parse
from myukm.domain.payment_api.work_item import Item
from myukm.domain.sync import suspicion
from tests.support import bills


def periods(billed: int, paid: int) -> list[Any]:
    amounts = {"amount_billed": billed, "amount_paid": paid, "remaining_balance": billed - paid}
    item = {"unit_name": "Juli", **amounts}
    sums = bills.summary([item])
    category = {"category_name": "SPP", "summary": sums, "items": [item]}
    return [{"period_id": "1", "kelas_info": None, "summary": sums, "categories": [category]}]


@pytest.mark.parametrize(
    ("old", "new", "suspicious"),
    [
        ((1000, 400), (1000, 200), False),
        ((1000, 400), (1000, 199), True),
        ((1000, 400), (499, 400), True),
        ((0, 0), (1000, 0), False),
        ((-250, 0), (-250, 100), False),
        ((-250, 0), (-300, 0), False),
    ],
)
def test_less_than_half_of_a_positive_sum_is_suspicious(
    old: tuple[int, int], new: tuple[int, int], suspicious: bool
) -> None:
    account = {"idperson": "7", "saldo": 0, "periods": periods(*new)}
    item = Item(1, "7")
    item.old = SimpleNamespace(pembayaran=periods(*old))
    item.new = parse(json.dumps({"data": [account]}).encode(), "7")
    suspicion.guard([item])
    assert (item.code is not None) == suspicious
