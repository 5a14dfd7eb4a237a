"""Movements: what one answer of the payment API changes for a student since the answer before.

- A bill's paid amount is compared with its last one, even if the API did not list the bill
  meanwhile. The increase is *received*, the decrease *corrected*.
- A bill that vanishes is no correction, because nobody gave money back: its paid amount is *lost*
  until the bill comes back. The return of the bill is no income either.
- Bills are renamed and split. So a bill that is new or back takes over the paid amounts of bills of
  its period that vanish in the same answer. Only what is paid beyond that is received, and only
  what no bill took over is lost.
- The first answer is an opening balance: nothing of it is received.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from myukm.domain.payment_api.bill_rows import Bill

# Period, category and item of a bill, and its number among the bills with these three.
Name = tuple[str, str, str, int]


class Amounts(NamedTuple):
    """Changes of the amounts owed, overpaid and paid, and the amounts received, corrected and lost;
    in sen."""

    owed: int
    overpaid: int
    paid: int
    received: int
    corrected: int
    lost: int


# Indexes of a row of `Sums`.
OWED, OVERPAID, PAID, RECEIVED, CORRECTED, LOST = range(len(Amounts._fields))


class Sums(dict[str, list[int]]):
    """Amounts that are added up by category. Each row is a list in the order of `Amounts`, because
    it is updated for every bill that changes."""

    def __missing__(self, category: str) -> list[int]:
        made = self[category] = [0] * len(Amounts._fields)
        return made

    def add(self, bills: Iterable[Bill], sign: int = 1) -> None:
        """Add what is owed, overpaid and paid by the bills, `sign` times."""
        for _period, _kelas, category, _item, _billed, paid, remaining in bills:
            row = self[category]
            if remaining > 0:
                row[OWED] += sign * remaining
            else:
                row[OVERPAID] -= sign * remaining
            row[PAID] += sign * paid

    def move(self, category: str, change: int) -> None:
        """Add a change of a paid amount: received, or corrected if it is negative."""
        if change > 0:
            self[category][RECEIVED] += change
        else:
            self[category][CORRECTED] -= change


class Vanished(NamedTuple):
    """`gone`: bills that vanished, with the part of their paid amount that no other bill took over;
    `back`: bills that vanished earlier and are back."""

    gone: Mapping[Name, int]
    back: Sequence[Name]


NOTHING = Vanished({}, ())


def between(
    before: Sequence[Bill], after: Sequence[Bill], earlier: Mapping[Name, int], sums: Sums
) -> Vanished:
    """Add to `sums` the differences between the bills `before` and `after`; return which bills
    vanished or are back. `earlier` are the paid amounts of bills that vanished before."""
    names = [_name(bill) for bill in after]
    if [_name(bill) for bill in before] != names or len(set(names)) < len(names):
        sums.add(before, -1)
        sums.add(after)
        return _moved(paid_by_name(before), paid_by_name(after), earlier, sums)
    for old, new in zip(before, after, strict=True):
        if old != new:
            sums.add((old,), -1)
            sums.add((new,))
            sums.move(_category(new), _paid(new) - _paid(old))
    return NOTHING


def _moved(
    paid_before: Mapping[Name, int],
    paid_after: Mapping[Name, int],
    earlier: Mapping[Name, int],
    sums: Sums,
) -> Vanished:
    uncovered = {
        name: paid for name, paid in paid_before.items() if name not in paid_after and paid
    }
    back = [name for name in paid_after if name not in paid_before and name in earlier]
    for name in back:
        sums[name[1]][LOST] -= earlier[name]
    known = {**paid_before, **{name: earlier[name] for name in back}}
    for name, paid in paid_after.items():
        before = known.get(name, 0)
        if name not in paid_before:
            before += _take_over(uncovered, name, paid - before)
        sums.move(name[1], paid - before)
    gone = {name: paid for name, paid in uncovered.items() if paid}
    for name, paid in gone.items():
        sums[name[1]][LOST] += paid
    return Vanished(gone, back)


def paid_by_name(bills: Iterable[Bill]) -> dict[Name, int]:
    """Return the paid amount of each bill. Bills of one name are numbered by their paid amount, the
    largest first, because the order in which the API lists them may change."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for bill in bills:
        found.setdefault(_name(bill), []).append(_paid(bill))
    return {
        (*name, number): paid
        for name, sums in found.items()
        for number, paid in enumerate(sorted(sums, reverse=True))
    }


def _take_over(uncovered: dict[Name, int], new: Name, paid: int) -> int:
    """Return the part of `paid`, the paid amount of a bill `new` (new or back), that was paid on
    vanished bills of its period, and subtract that part from their amounts in `uncovered`."""
    taken = 0
    for name, left in uncovered.items():
        if name[0] == new[0] and left > 0 and paid > taken:
            part = min(left, paid - taken)
            uncovered[name] -= part
            taken += part
    return taken


def _name(bill: Bill) -> tuple[str, str, str]:
    period, _kelas, category, item, *_amounts = bill
    return period, category, item


def _category(bill: Bill) -> str:
    return bill[2]


def _paid(bill: Bill) -> int:
    return bill[5]
