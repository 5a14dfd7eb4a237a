"""Fast schema: the usual form of payment answers, validated while decoding.

An answer of that form needs no further look: all that the contract names is there, and every amount
is a whole number of rupiah. Another may be right all the same; `payments.py` looks closer.
"""

from typing import Annotated, Any

import msgspec

# More than any student ever paid, and few enough digits for every database to keep exactly.
MAX_AMOUNT = 10**13
Amount = Annotated[int, msgspec.Meta(gt=-MAX_AMOUNT, lt=MAX_AMOUNT)]


class Summary(msgspec.Struct, gc=False):
    """The sums of a period or a category."""

    total_billed: Amount
    total_paid: Amount
    total_remaining: Amount
    fully_paid: bool


class Item(msgspec.Struct, gc=False):
    """One thing to pay."""

    unit_name: str
    amount_billed: Amount
    amount_paid: Amount
    remaining_balance: Amount


class Category(msgspec.Struct, gc=False):
    """Things of one kind."""

    category_name: str
    summary: Summary
    items: list[Item]


class Period(msgspec.Struct, gc=False):
    """A school year."""

    period_id: str
    kelas_info: Any
    summary: Summary
    categories: list[Category]


class Account(msgspec.Struct, gc=False):
    """A student's account."""

    idperson: str
    saldo: Amount
    periods: list[Period]


class Body(msgspec.Struct, gc=False):
    """The whole answer."""

    data: list[Account]


_decoder = msgspec.json.Decoder(Body)


def matches(body: bytes) -> bool:
    """Return whether an answer, which is JSON, has the usual form in every part."""
    try:
        _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError):
        return False
    return True
