"""Movements: what one answer changes for a student against the answer before it.

A bill is compared with itself: what was paid on it last, even if the API did not list it meanwhile.
More is *received*, less is *corrected*. A bill that vanishes is no correction, because nobody gave
money back: what was paid on it is *lost* until it comes back, which is no income either. A bill
that is new or back takes over what was paid on those that vanish from its period in the same
answer, because bills are renamed and split; only what is paid beyond that is received, and only
what no bill took over is lost. The first answer is an opening balance: nothing of it is received.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from myukm.domain.payment_api.bill_rows import Bill

# Period, category and item of a bill, and its number among those of that name.
Name = tuple[str, str, str, int]


class Amounts(NamedTuple):
    """Changes of what is owed, overpaid and paid, and what of it is received, corrected, lost; in
    sen."""

    owed: int
    overpaid: int
    paid: int
    received: int
    corrected: int
    lost: int


class Sums(dict[str, list[int]]):
    """Amounts that are added up by category, each a list in the order of `Amounts`. Runs for every
    bill that changes: plain lists, plain loops."""

    def __missing__(self, category: str) -> list[int]:
        made = self[category] = [0] * len(Amounts._fields)
        return made

    def add(self, bills: Iterable[Bill], sign: int = 1) -> None:
        """Add what is owed, overpaid and paid by the bills, `sign` times."""
        for bill in bills:
            row, rest = self[bill[2]], bill[6]
            if rest > 0:
                row[0] += sign * rest
            else:
                row[1] -= sign * rest
            row[2] += sign * bill[5]

    def move(self, category: str, change: int) -> None:
        """Add what was received, or corrected if `change` is negative."""
        if change > 0:
            self[category][3] += change
        else:
            self[category][4] -= change


class Vanished(NamedTuple):
    """`gone`: bills that vanished, with what was paid on them and no other bill took over; `back`:
    bills that vanished earlier and are back."""

    gone: Mapping[Name, int]
    back: Sequence[Name]


NOTHING = Vanished({}, ())


def between(
    before: Sequence[Bill], after: Sequence[Bill], remembered: Mapping[Name, int], sums: Sums
) -> Vanished:
    """Add to `sums` what `after` changes against `before`; return which bills vanished or are back.
    `remembered` has the bills that vanished earlier, with what was paid on them."""
    names = [_name(bill) for bill in after]
    if [_name(bill) for bill in before] != names or len(set(names)) < len(names):
        sums.add(before, -1)
        sums.add(after)
        return _moved(paid_by_name(before), paid_by_name(after), remembered, sums)
    for old, new in zip(before, after, strict=True):
        if old != new:
            sums.add((old,), -1)
            sums.add((new,))
            sums.move(new[2], new[5] - old[5])
    return NOTHING


def _moved(
    had: Mapping[Name, int], has: Mapping[Name, int], remembered: Mapping[Name, int], sums: Sums
) -> Vanished:
    uncovered = {name: paid for name, paid in had.items() if name not in has and paid}
    back = [name for name in has if name not in had and name in remembered]
    for name in back:
        sums[name[1]][5] -= remembered[name]
    known = {**had, **{name: remembered[name] for name in back}}
    for name, paid in has.items():
        before = known.get(name, 0)
        if name not in had:
            before += _take_over(uncovered, name, paid - before)
        sums.move(name[1], paid - before)
    gone = {name: paid for name, paid in uncovered.items() if paid}
    for name, paid in gone.items():
        sums[name[1]][5] += paid
    return Vanished(gone, back)


def paid_by_name(bills: Iterable[Bill]) -> dict[Name, int]:
    """Return what is paid on each bill; names that repeat are numbered, the largest sum first,
    because in the API's order they may change places."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for bill in bills:
        found.setdefault(_name(bill), []).append(bill[5])
    return {
        (*name, number): paid
        for name, sums in found.items()
        for number, paid in enumerate(sorted(sums, reverse=True))
    }


def _take_over(uncovered: dict[Name, int], new: Name, paid: int) -> int:
    """Return how much of what is `paid` on a bill that is new or back was paid on vanished ones of
    its period."""
    taken = 0
    for name, left in uncovered.items():
        if name[0] == new[0] and left > 0 and paid > taken:
            part = min(left, paid - taken)
            uncovered[name] -= part
            taken += part
    return taken


def _name(bill: Bill) -> tuple[str, str, str]:
    return bill[0], bill[2], bill[3]
