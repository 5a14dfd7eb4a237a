"""A student's payments as the API answers them: checked, added up, and told apart."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from flask_babel import lazy_gettext as _

from myukm import exact_json

SUMMARY = ("total_billed", "total_paid", "total_remaining")
ITEM = ("amount_billed", "amount_paid", "remaining_balance")
# More than any student ever paid, and few enough digits for every database to keep exactly.
MOST = 10**13
SEN = Decimal("0.01")

_NUMERIC = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,16})?")
_UNSAFE = re.compile(r"\\u(0000|d[89a-f])", re.IGNORECASE)


class InvalidBody(ValueError):
    """The answer is not of the form that the payment API promises; its text says where."""


class WrongStudent(ValueError):
    """The answer is about somebody else."""


@dataclass(frozen=True, slots=True)
class Payments:
    """What a student's answer says: `periods` as they came, amounts in rupiah.

    `saldo` is None when the API knows of no payments. `digest` is equal for answers that mean the
    same, whatever the order of their keys and whether amounts came as numbers or as texts.
    """

    periods: list[Any]
    saldo: Decimal | None
    tunggakan: Decimal
    digest: str

    @property
    def lunas(self) -> bool:
        """Whether nothing remains to be paid."""
        return self.tunggakan == 0


def parse(body: bytes, idperson: str) -> Payments:
    """Return the payments in the body of `GET /payments/{idperson}`.

    Raises `InvalidBody`, or `WrongStudent` when it is valid JSON about another student.
    """
    account = _account(_decoded(body), idperson)
    if account is None:
        return Payments([], None, Decimal(0), _digest(None))
    saldo = amount(account.get("saldo"))
    checked = [_period(period) for period in _objects(account.get("periods"))]
    owed = sum(max(remaining, 0) for __, remaining in checked)
    if owed >= MOST:
        raise InvalidBody(_("jumlahnya terlalu besar"))
    meaning = {**account, "idperson": idperson, "saldo": spelled(saldo)}
    meaning["periods"] = [period for period, __ in checked]
    return Payments(account["periods"], _money(saldo), _money(owed), _digest(meaning))


def amount(value: Any) -> int | Decimal:
    """Return an amount that came as a number or a numeric text. Raises `InvalidBody`."""
    if isinstance(value, str) and _NUMERIC.fullmatch(value):
        value = Decimal(value) if "." in value else int(value)
    if type(value) is not int and not isinstance(value, Decimal):
        raise InvalidBody(_("sebuah nilai bukan angka"))
    if not -MOST < value < MOST:
        raise InvalidBody(_("sebuah nilai terlalu besar"))
    return value


def _decoded(body: bytes) -> Any:
    try:
        text = body.decode()
        value = exact_json.loads(text)
        if _UNSAFE.search(text):
            _refuse_unsafe(value)
    except InvalidBody:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidBody(_("bukan JSON")) from error
    return value


def _refuse_unsafe(value: Any) -> None:
    """Halves of characters and NUL would break whoever stores or shows them later."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    text.encode()
    if "\\u0000" in text:
        raise InvalidBody(_("berisi karakter NUL"))


def _account(value: Any, idperson: str) -> dict[str, Any] | None:
    """The one account of the answer, None when the API has no payments of this student."""
    if not isinstance(value, dict):
        raise InvalidBody(_("bukan objek"))
    accounts = _objects(value.get("data"))
    for account in accounts:
        _check_owner(account.get("idperson"), idperson)
    if len(accounts) > 1:
        raise InvalidBody(_("lebih dari satu akun"))
    return accounts[0] if accounts else None


def _check_owner(owner: Any, idperson: str) -> None:
    if type(owner) is not int and not isinstance(owner, str):
        raise InvalidBody(_("akun tanpa idperson"))
    if str(owner) != idperson:
        raise WrongStudent("the account is somebody else's")


def _period(period: dict[str, Any]) -> tuple[dict[str, Any], int | Decimal]:
    """A period in the form that is compared, and what remains to be paid in it."""
    if type(period.get("period_id")) not in (str, int):
        raise InvalidBody(_("periode tanpa period_id"))
    summary = _summary(period.get("summary"))
    categories = [_category(category) for category in _objects(period.get("categories"))]
    remaining = amount(period["summary"]["total_remaining"])
    return {**period, "summary": summary, "categories": categories}, remaining


def _category(category: dict[str, Any]) -> dict[str, Any]:
    _check_text(category, "category_name")
    items = [_item(item) for item in _objects(category.get("items"))]
    return {**category, "summary": _summary(category.get("summary")), "items": items}


def _item(item: dict[str, Any]) -> dict[str, Any]:
    _check_text(item, "unit_name")
    return _spelled_out(item, ITEM)


def _summary(summary: Any) -> dict[str, Any]:
    if not isinstance(summary, dict) or not isinstance(summary.get("fully_paid"), bool | int):
        raise InvalidBody(_("tidak ada summary"))
    return {**_spelled_out(summary, SUMMARY), "fully_paid": bool(summary["fully_paid"])}


def _objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise InvalidBody(_("tidak ada daftar objek"))
    return value


def _check_text(values: dict[str, Any], name: str) -> None:
    if not isinstance(values.get(name), str):
        raise InvalidBody(_("tidak ada %(name)s", name=name))


def _spelled_out(values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {**values, **{name: spelled(amount(values.get(name))) for name in names}}


def spelled(number: int | Decimal) -> str:
    """Return the one spelling of an amount: 1000, "1000" and 1000.00 are the same money."""
    return str(number) if type(number) is int else format(Decimal(number).normalize() + 0, "f")


def _money(number: int | Decimal) -> Decimal:
    return Decimal(number).quantize(SEN)


def _digest(meaning: dict[str, Any] | None) -> str:
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"), default=str)
    return sha256(text.encode()).hexdigest()
