"""The plain form of payments: the fields that docs/payment-api.yaml names, as typed objects.

An answer that has these types, with a whole number of rupiah for every amount, is decoded and
checked in one step. Other valid answers are checked field by field by `parser`, which builds the
same objects.
"""

from collections.abc import Mapping
from decimal import Decimal
from operator import itemgetter
from typing import Annotated, Any, Generic, TypeVar

import msgspec

# More than any student ever paid, and few enough digits that every database stores it exactly.
MAX_AMOUNT = 10**13
Amount = int | Decimal
WholeRupiah = Annotated[int, msgspec.Meta(gt=-MAX_AMOUNT, lt=MAX_AMOUNT)]
# A student's class in the plain form. `parser` accepts and keeps any other value.
Kelas = str | int | None

SUMMARY = ("total_billed", "total_paid", "total_remaining")
ITEM = ("amount_billed", "amount_paid", "remaining_balance")
NUL = b"\\u0000"

A = TypeVar("A")


class Summary(msgspec.Struct, Generic[A], gc=False):
    """The sums of a period or a category."""

    total_billed: A
    total_paid: A
    total_remaining: A
    fully_paid: bool


class Item(msgspec.Struct, Generic[A], gc=False):
    """One thing to pay."""

    unit_name: str
    amount_billed: A
    amount_paid: A
    remaining_balance: A


class Category(msgspec.Struct, Generic[A], gc=False):
    """The items of one kind."""

    category_name: str
    summary: Summary[A]
    items: list[Item[A]]


class Period(msgspec.Struct, Generic[A], gc=False):
    """A school year."""

    period_id: str
    kelas_info: Kelas
    summary: Summary[A]
    categories: list[Category[A]]


class Account(msgspec.Struct, Generic[A], gc=False):
    """A student's account."""

    idperson: str
    saldo: A
    periods: list[Period[A]]


class Body(msgspec.Struct, gc=False):
    """The whole answer."""

    data: list[Account[WholeRupiah]]


# The number of members of each object in JSON, including those of its summary.
OF_ITEM, OF_SUMMARY = len(Item.__struct_fields__), len(Summary.__struct_fields__)
OF_CATEGORY = len(Category.__struct_fields__) + OF_SUMMARY
OF_PERIOD = len(Period.__struct_fields__) + OF_SUMMARY

_decoder = msgspec.json.Decoder(Body)
_of_item = itemgetter(*Item.__struct_fields__)
_of_summary = itemgetter(*Summary.__struct_fields__)


def account(body: bytes) -> Account[int] | None:
    """Return the account of an answer in the plain form, None if it has another form. The answer
    may contain more fields (see `has_no_other_field`)."""
    if NUL in body:  # the decoder accepts NUL, but no database stores it
        return None
    try:
        accounts = _decoder.decode(body).data
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return accounts[0] if len(accounts) == 1 else None


def has_no_other_field(account: Account[Any], body: bytes) -> bool:
    """Return whether the body certainly has no field besides those of the account.

    Each member of a JSON object has one colon (RFC 8259, section 4), so a body with as many colons
    as our objects have members has no other member. A colon in a text makes the result False.
    """
    members = len(Body.__struct_fields__) + len(Account.__struct_fields__)
    for period in account.periods:
        members += OF_PERIOD
        for category in period.categories:
            members += OF_CATEGORY + OF_ITEM * len(category.items)
    return body.count(b":") == members


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
