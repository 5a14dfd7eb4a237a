"""A student's payments as the API answers them: checked, added up, and told apart."""

import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any

from flask_babel import lazy_gettext as _

from myukm import exact_json
from myukm.domain.api.failures import Failure

SUMMARY = ("total_billed", "total_paid", "total_remaining")
ITEM = ("amount_billed", "amount_paid", "remaining_balance")
# What the digest knows of each object by itself.
ACCOUNT_FIELDS = frozenset({"idperson", "saldo", "periods"})
PERIOD_FIELDS = frozenset({"period_id", "kelas_info", "summary", "categories"})
CATEGORY_FIELDS = frozenset({"category_name", "summary", "items"})
SUMMARY_FIELDS = frozenset({*SUMMARY, "fully_paid"})
ITEM_FIELDS = frozenset({*ITEM, "unit_name"})
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
    same, whatever the order of their keys and whether amounts came as numbers or as texts. `etag`
    is the API's own name for the answer.
    """

    periods: list[Any]
    saldo: Decimal | None
    tunggakan: Decimal
    digest: str
    etag: str | None = None

    @property
    def lunas(self) -> bool:
        """Whether nothing remains to be paid."""
        return self.tunggakan == 0


class NotModified:
    """The API's answer when a student's payments are still those of the tag that was sent."""


Answer = Payments | NotModified | Failure


def parse(body: bytes, idperson: str, etag: str | None = None) -> Payments:
    """Return the payments in the body of `GET /payments/{idperson}`, which came as `etag`.

    Raises `InvalidBody`, or `WrongStudent` when it is valid JSON about another student.
    """
    account = _account(_decoded(body), idperson)
    meaning = _Meaning()
    if account is None:
        return Payments([], None, Decimal(0), meaning.digest(), etag)
    saldo = amount(account.get("saldo"))
    meaning.amounts.append(saldo)
    meaning.note_others(account, ACCOUNT_FIELDS)
    owed: int | Decimal = 0
    for period in _objects(account.get("periods")):
        owed += max(_period(period, meaning), 0)
    if owed >= MOST:
        raise InvalidBody(_("jumlahnya terlalu besar"))
    return Payments(account["periods"], _money(saldo), _money(owed), meaning.digest(), etag)


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
        if b"\\u" in body and _UNSAFE.search(text):
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


@dataclass(slots=True)
class _Meaning:
    """What an answer says, in the form that is compared: its words, its amounts, in their order.

    The amounts, a hundred an answer, are checked together: with thousands of answers that counts.
    """

    words: list[str] = field(default_factory=list)
    amounts: list[Any] = field(default_factory=list)

    def note_others(self, values: dict[str, Any], known: frozenset[str]) -> None:
        """What the contract does not name is kept as it came, and counts as well."""
        if values.keys() != known:
            others = {name: value for name, value in values.items() if name not in known}
            self.words.append(json.dumps(others, sort_keys=True, default=str))

    def digest(self) -> str:
        """Return the digest of it all. Raises `InvalidBody` for an amount that is none."""
        amounts = self.amounts
        if not (set(map(type, amounts)) == {int} and -MOST < min(amounts) <= max(amounts) < MOST):
            amounts = [spelled(amount(value)) for value in amounts]
        # NUL parts the words: no text of an answer contains it.
        text = "\0".join((*self.words, "", *map(str, amounts)))
        return sha256(text.encode()).hexdigest()


def _period(period: dict[str, Any], meaning: _Meaning) -> int | Decimal:
    """Check a period, add what it says to `meaning`, and return what remains to be paid in it."""
    if type(period.get("period_id")) not in (str, int):
        raise InvalidBody(_("periode tanpa period_id"))
    meaning.words += ("period", str(period["period_id"]), repr(period.get("kelas_info")))
    meaning.note_others(period, PERIOD_FIELDS)
    _summary(period.get("summary"), meaning)
    for category in _objects(period.get("categories")):
        _category(category, meaning)
    return amount(period["summary"].get("total_remaining"))


def _category(category: dict[str, Any], meaning: _Meaning) -> None:
    meaning.words += ("category", _text(category, "category_name"))
    meaning.note_others(category, CATEGORY_FIELDS)
    _summary(category.get("summary"), meaning)
    for item in _objects(category.get("items")):
        meaning.words += ("item", _text(item, "unit_name"))
        meaning.amounts += map(item.get, ITEM)
        meaning.note_others(item, ITEM_FIELDS)


def _summary(summary: Any, meaning: _Meaning) -> None:
    if not isinstance(summary, dict) or not isinstance(summary.get("fully_paid"), bool | int):
        raise InvalidBody(_("tidak ada summary"))
    meaning.words.append("paid" if summary["fully_paid"] else "open")
    meaning.amounts += map(summary.get, SUMMARY)
    meaning.note_others(summary, SUMMARY_FIELDS)


def _objects(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise InvalidBody(_("tidak ada daftar objek"))
    return value


def _text(values: dict[str, Any], name: str) -> str:
    text = values.get(name)
    if not isinstance(text, str):
        raise InvalidBody(_("tidak ada %(name)s", name=name))
    return text


def spelled(number: int | Decimal) -> str:
    """Return the one spelling of an amount: 1000, "1000" and 1000.00 are the same money."""
    return str(number) if type(number) is int else format(Decimal(number).normalize() + 0, "f")


def _money(number: int | Decimal) -> Decimal:
    return Decimal(number).quantize(SEN)
