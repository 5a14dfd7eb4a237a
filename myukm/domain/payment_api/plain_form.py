"""The plain form of payments: everything that the contract names, read and checked.

An answer in exactly that form, with a whole number of rupiah for every amount, is read in one step.
Another may be right all the same: `parser` looks closer and builds the same objects.
"""

from collections.abc import Mapping
from decimal import Decimal
from operator import itemgetter
from typing import Annotated, Any, Generic, TypeVar

import msgspec

# More than any student ever paid, and few enough digits for every database to keep exactly.
MAX_AMOUNT = 10**13
Amount = int | Decimal
Whole = Annotated[int, msgspec.Meta(gt=-MAX_AMOUNT, lt=MAX_AMOUNT)]
# How a student's class may be given. Anything else is for `parser`, which keeps it.
Kelas = str | int | None

SUMMARY = ("total_billed", "total_paid", "total_remaining")
ITEM = ("amount_billed", "amount_paid", "remaining_balance")
NUL = b"\\u0000"

A = TypeVar("A")


class Summary(msgspec.Struct, Generic[A], gc=False, forbid_unknown_fields=True):
    """The sums of a period or a category."""

    total_billed: A
    total_paid: A
    total_remaining: A
    fully_paid: bool


class Item(msgspec.Struct, Generic[A], gc=False, forbid_unknown_fields=True):
    """One thing to pay."""

    unit_name: str
    amount_billed: A
    amount_paid: A
    remaining_balance: A


class Category(msgspec.Struct, Generic[A], gc=False, forbid_unknown_fields=True):
    """Things of one kind."""

    category_name: str
    summary: Summary[A]
    items: list[Item[A]]


class Period(msgspec.Struct, Generic[A], gc=False, forbid_unknown_fields=True):
    """A school year."""

    period_id: str
    kelas_info: Kelas
    summary: Summary[A]
    categories: list[Category[A]]


class Account(msgspec.Struct, Generic[A], gc=False, forbid_unknown_fields=True):
    """A student's account."""

    idperson: str
    saldo: A
    periods: list[Period[A]]


class Body(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The whole answer."""

    data: list[Account[Whole]]


_decoder = msgspec.json.Decoder(Body)
_of_item = itemgetter("unit_name", *ITEM)
_of_summary = itemgetter(*SUMMARY, "fully_paid")


def account(body: bytes) -> Account[int] | None:
    """Return the account of an answer that has the plain form in every part, else None."""
    if NUL in body:  # the one escaped character that JSON allows and no database stores
        return None
    try:
        accounts = _decoder.decode(body).data
    except (msgspec.MsgspecError, ValueError):
        return None
    return accounts[0] if len(accounts) == 1 else None


def period(values: Mapping[str, Any]) -> Period[Amount]:
    """Return a period from its fields, which `parser` has checked."""
    categories = [
        Category(
            category["category_name"],
            Summary(*_of_summary(category["summary"])),
            [Item(*_of_item(item)) for item in category["items"]],
        )
        for category in values["categories"]
    ]
    summary = Summary(*_of_summary(values["summary"]))
    return Period(values["period_id"], values["kelas_info"], summary, categories)
