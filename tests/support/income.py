"""A reference ledger of received payments, computed from the API's answers one by one.

The arithmetic is as plain as possible, because tests compare journal, balances and report with it.
"""

import random
from collections import Counter, defaultdict
from copy import deepcopy
from fractions import Fraction
from typing import Any

from tests.support.bills import HALF, ITEM, SUMMARY

Periods = list[dict[str, Any]]
Key = tuple[str, str, str, int]
FIGURES = ("owed", "overpaid", "paid", "received", "corrected", "lost")
Figures = dict[tuple[str, str], dict[str, int]]


class Ledger:
    """The ledger of one campus; amounts in sen (1/100 rupiah).

    `bills` are paid and remaining amount of each current bill by student. `last` is the amount last
    seen paid on each bill, also of vanished bills, less what new bills took over. `flows` are a
    day's movements by unit and category.
    """

    def __init__(self) -> None:
        self.units: dict[str, str] = {}
        self.bills: dict[str, dict[Key, tuple[int, int]]] = {}
        self.last: dict[str, dict[Key, int]] = {}
        self.flows: dict[str, Figures] = defaultdict(_figures)

    def answer(self, day: str, idperson: str, periods: Periods) -> None:
        """Record an answer of the API about a student; an unchanged answer changes nothing."""
        new = bills(periods)
        if idperson not in self.bills:
            self.bills[idperson] = new
            self.last[idperson] = {key: paid for key, (paid, _rest) in new.items()}
            return
        old, last = self.bills[idperson], self.last[idperson]
        if old == new:
            return
        gone = {k: paid for k, (paid, _rest) in old.items() if k not in new and paid}
        spare: Counter[str] = Counter()
        for key, paid in gone.items():
            spare[key[0]] += max(paid, 0)
        for key, (paid, _rest) in new.items():
            change = paid - last.get(key, 0)
            if key not in old:
                part = max(0, min(change, spare[key[0]]))
                spare[key[0]] -= part
                change -= part
            figures = self._of(day, idperson, key)
            figures["received" if change > 0 else "corrected"] += abs(change)
            if key in last and key not in old:
                figures["lost"] -= last[key]
        self._lose(day, idperson, gone, new)
        self.bills[idperson] = new
        last.update({key: paid for key, (paid, _rest) in new.items()})
        for key, paid in list(last.items()):
            if not paid and key not in new:
                del last[key]  # nothing was paid on it: nothing to remember

    def _lose(self, day: str, idperson: str, gone: dict[Key, int], new: dict[Key, Any]) -> None:
        """Record as lost what was paid on vanished bills and not taken over by new bills.

        New bills take over from the vanished ones of their period, in their order. `last` keeps
        only the lost part.
        """
        last, old = self.last[idperson], self.bills[idperson]
        for period in {key[0] for key in gone}:
            wanted = sum(
                max(p - last.get(k, 0), 0)
                for k, (p, _r) in new.items()
                if k not in old and k[0] == period
            )
            for key, paid in gone.items():
                if key[0] == period:
                    part = max(0, min(paid, wanted))
                    wanted -= part
                    self._of(day, idperson, key)["lost"] += paid - part
                    last[key] = paid - part

    def _of(self, day: str, idperson: str, key: Key) -> dict[str, int]:
        return self.flows[day][self.units[idperson], key[1]]

    def balances(self) -> Figures:
        """Return what is owed, overpaid and paid now, by unit and category."""
        found = _figures()
        for idperson, bills_ in self.bills.items():
            for key, (paid, rest) in bills_.items():
                sums = found[self.units[idperson], key[1]]
                sums["paid"] += paid
                sums["owed"] += max(rest, 0)
                sums["overpaid"] += max(-rest, 0)
        return found

    def closing(self, day: str) -> dict[tuple[str, str], tuple[int, ...]]:
        """Return the `FIGURES` of a day that has just ended, without rows of zeros."""
        now, moved = self.balances(), self.flows[day]
        return {
            where: row
            for where in {*now, *moved}
            if any(
                row := tuple(
                    (now if n < 3 else moved)[where][name] for n, name in enumerate(FIGURES)
                )
            )
        }


def _figures() -> Figures:
    return defaultdict(lambda: dict.fromkeys(FIGURES, 0))


def bills(periods: Periods) -> dict[Key, tuple[int, int]]:
    """Return paid and remaining amount (sen) of each bill; namesakes are numbered by amount."""
    found: dict[tuple[str, str, str], list[tuple[int, int]]] = defaultdict(list)
    for period in periods:
        listed = [(c["category_name"], i) for c in period["categories"] for i in _items(c)]
        for category, item in listed or [("", i) for i in _items(period | {"items": []})]:
            name = (period["period_id"], category, item["unit_name"])
            paid, rest = (Fraction(str(item[amount])) for amount in ITEM[1:])
            found[name].append((_sen(paid), _sen(rest) if abs(rest) >= HALF else 0))
    return {
        (*name, number): both
        for name, namesakes in found.items()
        for number, both in enumerate(sorted(namesakes, reverse=True))
    }


def _sen(amount: Fraction) -> int:
    return round(amount * 100)


def _items(part: dict[str, Any]) -> list[dict[str, Any]]:
    said = [part["summary"][name] for name in SUMMARY]
    if part["items"] or all(abs(Fraction(str(amount))) < HALF for amount in said):
        return list(part["items"])
    return [{"unit_name": "", **dict(zip(ITEM, said, strict=True))}]


def changed(rng: random.Random, periods: Periods) -> Periods:
    """Return a changed answer: items are paid, taken back, renamed, added, removed or doubled."""
    new = deepcopy(periods)
    categories = [category for period in new for category in period["categories"]]
    filled = [category for category in categories if category["items"]]
    for _ in range(rng.randint(1, 3)):
        if not filled or rng.random() < 0.1:
            rng.shuffle(new)
            new = new[: rng.randrange(len(new) + 1)] if rng.random() < 0.5 else new
            continue
        _change(rng, rng.choice(filled)["items"])
    for period in new:
        if rng.random() < 0.1 and period["categories"]:
            del period["categories"][0]
    return new


def _change(rng: random.Random, items: list[dict[str, Any]]) -> None:
    kind = rng.random()
    item = rng.choice(items) if items else _bill(rng)
    if kind < 0.5:
        _pay(item, rng.choice([5_000, 75_000, 99_999.5, 0.25]))
    elif kind < 0.6:
        _pay(item, -rng.choice([5_000, 20_000]))
    elif kind < 0.7:
        item["unit_name"] += " baru"
    elif kind < 0.8:
        items.append(_bill(rng))
    elif kind < 0.9 and items:
        items.remove(item)
    else:
        items.append(dict(item))


def _bill(rng: random.Random) -> dict[str, Any]:
    billed, paid = rng.choice([(100_000, 0), (100_000, 100_000), (50_000, 60_000), (0, -10_000)])
    item = dict(zip(ITEM, (billed, paid, billed - paid), strict=True))
    return {"unit_name": f"Tambahan {rng.randrange(3)}", **item}


def _pay(item: dict[str, Any], amount: float) -> None:
    billed, paid, _rest = (float(item[name]) for name in ITEM)
    item |= {"amount_paid": paid + amount, "remaining_balance": billed - paid - amount}
