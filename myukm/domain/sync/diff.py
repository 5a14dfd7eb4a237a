"""Diff of two answers about a student, as a list of changed fields."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from myukm.db import json as decimal_json
from myukm.domain.payment_api.body import InvalidBody
from myukm.domain.payment_api.parser import amount, format_amount
from myukm.domain.payment_api.plain_form import ITEM, SUMMARY

MAX_CHANGES = 200
# In characters.
MAX_NAME, MAX_KEY, MAX_VALUE, MAX_PERIOD = 100, 40, 200, 64
AMOUNTS = frozenset((*SUMMARY, *ITEM))
# For each field of a summary, the field of the items that it adds up.
ADDED_UP = dict(zip(SUMMARY, ITEM, strict=True))
STRUCTURE = frozenset(("period_id", "category_name", "unit_name", "categories", "items"))

Path = tuple[str, ...]
Differences = dict[Path, tuple[str | None, str | None]]


class Change(NamedTuple):
    """A changed field; `old` or `new` is None if the field does not exist on that side.

    `field` is a path such as `SPP/Juli 2026/amount_paid` (category, unit, name), `summary/…` for a
    sum of the period. Without a period it is `saldo`, `account` (a field that is not stored),
    `first` (`new` is what is owed) or `more` (`new` is how many changes are not listed).
    """

    period_id: str
    field: str
    old: str | None
    new: str | None


def compare(old_periods: Any, new_periods: Any) -> list[Change]:
    """Return the fields that differ between two lists of periods, at most `MAX_CHANGES`.

    Amounts are compared as money. Sums that changed only because their items changed are left out,
    and so are the items of a new period, because the student's page lists them. The items of
    vanished periods and categories are listed.
    """
    found = [
        Change(period_id[:MAX_PERIOD], "/".join(path), *values)
        for period_id, old, new in _pairs(old_periods, new_periods, "period_id")
        for path, values in _without_sums(_of_period(old, new)).items()
    ]
    return bounded(found)


def bounded(found: list[Change]) -> list[Change]:
    """Return at most `MAX_CHANGES` changes; if some are left out, the last one says how many."""
    rest = len(found) - MAX_CHANGES + 1
    if rest <= 1:
        return found
    return [*found[:-rest], Change("", "more", None, str(rest))]


def _of_period(old: Mapping[str, Any], new: Mapping[str, Any]) -> Differences:
    found: Differences = {}
    if old:
        for name, *both in _pairs(old.get("categories"), new.get("categories"), "category_name"):
            found |= _of_category(name[:MAX_NAME], *both)
    return found | _fields((), old, new)


def _of_category(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Differences:
    found: Differences = {}
    for unit, before, after in _pairs(old.get("items"), new.get("items"), "unit_name"):
        found |= _fields((name, unit[:MAX_NAME]), before, after)
    return found | _fields((name,), old, new)


def _fields(path: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> Differences:
    """Return the fields of one object and of its summary that differ, not those of its parts."""
    found: Differences = {}
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key), new.get(key)
        if key in STRUCTURE or before == after:
            continue
        if key == "summary" and not path[2:]:
            found |= _fields((*path, key), _object(before), _object(after))
        elif (was := _text(key, before)) != (is_ := _text(key, after)):
            found[(*path, key[:MAX_KEY])] = (was, is_)
    return found


def _without_sums(found: Differences) -> Differences:
    """Leave out the sums that changed by what the items below them changed."""
    moved: dict[Path, Decimal] = defaultdict(Decimal)
    for path, values in found.items():
        if len(path) == 3 and path[-1] in ITEM:
            for above in ((path[0], path[-1]), (path[-1],)):
                moved[above] += _movement(*values)
    return {
        path: values
        for path, values in found.items()
        if path[-2:-1] != ("summary",)
        or path[-1] not in ADDED_UP
        or _movement(*values) != moved.get((*path[:-2], ADDED_UP[path[-1]]))
    }


def _movement(old: str | None, new: str | None) -> Decimal:
    return _number(new) - _number(old)


def _number(text: str | None) -> Decimal:
    try:
        return Decimal(amount(text or 0))
    except InvalidBody:
        return Decimal(0)


def _pairs(
    old: Any, new: Any, key: str
) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield the parts of two lists that differ, matched by their names."""
    before, after = _named(old, key), _named(new, key)
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield name, before.get(name, {}), after.get(name, {})


def _named(parts: Any, key: str) -> dict[str, Mapping[str, Any]]:
    """Return the parts by name; a repeated name gets a number."""
    named: dict[str, Mapping[str, Any]] = {}
    for part in parts if isinstance(parts, Sequence) else ():
        name = first = str(_object(part).get(key, ""))
        count = 1
        while name in named:
            count += 1
            name = f"{first} #{count}"
        named[name] = _object(part)
    return named


def _object(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    return {} if value is None else {"value": value}


def _text(key: str, value: Any) -> str | None:
    """Return a value as the history stores it: amounts as `format_amount` does, others as JSON."""
    if value is None:
        return None
    if key in AMOUNTS:
        try:
            return format_amount(amount(value))
        except InvalidBody:
            pass
    if key == "fully_paid" and isinstance(value, int):
        value = bool(value)
    return (value if isinstance(value, str) else decimal_json.dumps(value))[:MAX_VALUE]
