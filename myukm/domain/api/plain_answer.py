"""The usual form of the payment API's answers, checked by the JSON decoder itself.

An answer of that form needs no further look: all is there under its name, nothing else, and every
amount is a whole number of rupiah. Another may be right all the same; `payments.py` looks closer.
"""

from typing import Annotated, Any

import msgspec

# More than any student ever paid, and few enough digits for every database to keep exactly.
MOST = 10**13
Amount = Annotated[int, msgspec.Meta(gt=-MOST, lt=MOST)]


class Summary(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The sums of a period or a category."""

    total_billed: Amount
    total_paid: Amount
    total_remaining: Amount
    fully_paid: bool


class Item(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """One thing to pay."""

    unit_name: str
    amount_billed: Amount
    amount_paid: Amount
    remaining_balance: Amount


class Category(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Things of one kind."""

    category_name: str
    summary: Summary
    items: list[Item]


class Period(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A school year."""

    period_id: str
    kelas_info: Any
    summary: Summary
    categories: list[Category]


class Account(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A student's account."""

    idperson: str
    saldo: Amount
    periods: list[Period]


class Body(msgspec.Struct, gc=False):
    """The whole answer."""

    data: list[Account]


_decoder = msgspec.json.Decoder(Body)


def read(body: bytes) -> list[Account] | None:
    """Return the accounts of an answer that has the usual form in every part, else None."""
    try:
        return _decoder.decode(body).data
    except (msgspec.MsgspecError, ValueError):
        return None
