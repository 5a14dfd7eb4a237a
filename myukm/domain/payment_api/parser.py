"""Parser of payment answers: validated, summed, and digested."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec
from flask_babel import lazy_gettext as _

from myukm.db import json as decimal_json
from myukm.domain.payment_api import amounts, complaint, plain_form
from myukm.domain.payment_api.bill_rows import Bill, bill_rows
from myukm.domain.payment_api.body import (
    InvalidBody,
    decode,
    objects,
    reported_failure,
    without_bom,
)
from myukm.domain.payment_api.errors import Failure
from myukm.domain.payment_api.owed import SEN, Owed, owed
from myukm.domain.payment_api.plain_form import ITEM, MAX_AMOUNT, SUMMARY, Amount, Period

ACCOUNT = frozenset(("idperson", "saldo", "periods"))

_sorted = msgspec.json.Encoder(order="sorted", decimal_format="number")


class WrongStudent(ValueError):
    """The answer is about another student."""


@dataclass(frozen=True, slots=True)
class Payments:
    """A student's payments, amounts in rupiah; `text` is the JSON of the periods as they came,
    `owed` their sums, `bills` their `bill_rows`.

    `saldo` is None if the API has no payments of the student. `digest` is equal for answers that
    mean the same, whatever the order of their keys and whether amounts came as numbers or as texts.
    `etag` is the API's tag of the answer. Periods are kept as text, because thousands of answers
    wait for the database and text is small.
    """

    text: msgspec.Raw
    bills: list[Bill]
    saldo: Decimal | None
    owed: Owed
    digest: str
    etag: str | None = None

    @property
    def periods(self) -> list[Any]:
        """The periods as they came, parsed from `text` at each call."""
        return list(decimal_json.loads(bytes(self.text)))


class NotModified:
    """The API's answer "not modified": the payments are still those of the tag that was sent."""


Answer = Payments | NotModified | Failure


def parse(body: bytes, idperson: str, etag: str | None = None) -> Payments:
    """Return the payments in the body of `GET /payments/{idperson}`; `etag` is the answer's tag.

    An answer in the plain form is decoded in one step. Raises `InvalidBody`, or `WrongStudent` when
    it is valid JSON about another student.
    """
    body = without_bom(body)
    plain_account = plain_form.account(body)
    if plain_account and plain_form.has_no_other_field(plain_account, body):
        _check_idperson(plain_account.idperson, idperson)
        plain_account.idperson = idperson
        text, digest = _json(plain_account.periods), _digest(plain_account)
        return _payments(plain_account.periods, plain_account.saldo, text, digest, etag)
    account = _account(decode(body), idperson)
    if account is None:
        return Payments(_json([]), [], None, owed([]), _digest(None), etag)
    normalized = account if plain_account else _normalized(account)
    periods = (
        plain_account.periods
        if plain_account
        else list(map(plain_form.period, normalized["periods"]))
    )
    text, digest = _json(account["periods"]), _digest(normalized)
    return _payments(periods, normalized["saldo"], text, digest, etag)


def plain(periods: Any) -> list[Period[Amount]]:
    """Return periods that are given as JSON values, such as stored periods, in the plain form.

    Raises `InvalidBody`.
    """
    return [plain_form.period(_period(period)) for period in objects(periods)]


def _payments(
    periods: Sequence[Period[Any]], saldo: Amount, text: msgspec.Raw, digest: str, etag: str | None
) -> Payments:
    sums = owed(periods)
    if max(sums.tunggakan, sums.lebih_bayar) >= MAX_AMOUNT:
        raise InvalidBody(_("jumlahnya terlalu besar"))
    return Payments(text, bill_rows(periods), Decimal(saldo).quantize(SEN), sums, digest, etag)


def _json(periods: Sequence[Any]) -> msgspec.Raw:
    return msgspec.Raw(decimal_json.dumps(periods).encode())


def _digest(normalized: Any) -> str:
    return sha256(_sorted.encode(normalized)).hexdigest()


def amount(value: Any) -> int | Decimal:
    """Return an amount given as a number or a numeric text. Raises `InvalidBody`."""
    if isinstance(value, str):
        value = amounts.number(value)
    if type(value) is not int and not isinstance(value, Decimal):
        raise InvalidBody(_("sebuah nilai bukan angka"))
    if amounts.is_ambiguous(value):
        raise InvalidBody(_("sebuah nilai ditulis sebagai 350.000 tanpa tanda kutip"))
    if not -MAX_AMOUNT < value < MAX_AMOUNT:
        raise InvalidBody(_("sebuah nilai terlalu besar"))
    return value


def _account(value: dict[str, Any], idperson: str) -> dict[str, Any] | None:
    """Return the account of the answer, None if the API has no payments of this student."""
    accounts = objects(value.get("data"))
    for account in accounts:
        if account.keys() != ACCOUNT and (report := complaint.of_account(account)):
            raise reported_failure(report)
        _check_idperson(account.get("idperson"), idperson)
        account["idperson"] = idperson
    if len(accounts) > 1:
        raise InvalidBody(_("lebih dari satu akun"))
    return accounts[0] if accounts else None


def _check_idperson(owner: Any, idperson: str) -> None:
    """Check the account's id, ignoring blanks at its ends: fixed-width databases pad ids."""
    if type(owner) is not int and not isinstance(owner, str):
        raise InvalidBody(_("akun tanpa idperson"))
    if str(owner).strip() != idperson:
        raise WrongStudent("the account is somebody else's")


def _normalized(account: dict[str, Any]) -> dict[str, Any]:
    """Return the account, validated and with amounts in one form; unknown fields stay."""
    periods = [_period(period) for period in objects(account.get("periods"))]
    saldo = _canonical(account.get("saldo"))
    if amounts.contradict(_amounts_of(account)):
        raise InvalidBody(_("nilai uang ditulis dengan dua cara"))
    return account | {"saldo": saldo, "periods": periods}


def _amounts_of(account: dict[str, Any]) -> Iterator[Any]:
    """Yield every amount of an account as it came."""
    yield account["saldo"]
    for period in account["periods"]:
        yield from map(period["summary"].get, SUMMARY)
        for category in period["categories"]:
            yield from map(category["summary"].get, SUMMARY)
            for item in category["items"]:
                yield from map(item.get, ITEM)


def _period(period: dict[str, Any]) -> dict[str, Any]:
    if type(period.get("period_id")) not in (str, int):
        raise InvalidBody(_("periode tanpa period_id"))
    own = {"period_id": str(period["period_id"]), "kelas_info": period.get("kelas_info")}
    categories = [_category(category) for category in objects(period.get("categories"))]
    return period | own | {"summary": _summary(period.get("summary")), "categories": categories}


def _category(category: dict[str, Any]) -> dict[str, Any]:
    own = {"category_name": _text(category, "category_name")}
    items = [_item(item) for item in objects(category.get("items"))]
    return category | own | {"summary": _summary(category.get("summary")), "items": items}


def _item(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"unit_name": _text(item, "unit_name"), **_amounts(item, ITEM)}


def _summary(summary: Any) -> dict[str, Any]:
    if not isinstance(summary, dict) or not isinstance(summary.get("fully_paid"), bool | int):
        raise InvalidBody(_("tidak ada summary"))
    return summary | {"fully_paid": bool(summary["fully_paid"]), **_amounts(summary, SUMMARY)}


def _amounts(values: dict[str, Any], names: Iterable[str]) -> dict[str, int | Decimal]:
    return {name: _canonical(values.get(name)) for name in names}


def _canonical(value: Any) -> int | Decimal:
    """Return an amount so that 1000, "1000" and 1000.00 are the same."""
    number = amount(value)
    return int(number) if number == int(number) else Decimal(number).normalize()


def _text(values: dict[str, Any], name: str) -> str:
    text = values.get(name)
    if not isinstance(text, str):
        raise InvalidBody(_("tidak ada %(name)s", name=name))
    return text


def format_amount(number: int | Decimal) -> str:
    """Return an amount as text without trailing zeros: "1000" for 1000 and for 1000.00."""
    return str(number) if type(number) is int else format(Decimal(number).normalize() + 0, "f")
