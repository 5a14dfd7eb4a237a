"""Accounts of the demo: one of each staff role, and members who are students of the Institut."""

import random
from dataclasses import dataclass

from devtools.sample.names import full_name

MEMBERS = 56


@dataclass(frozen=True)
class Account:
    """An account; `role` is admin, bendahara, operator or anggota."""

    nim: str
    name: str
    role: str
    password: str


def _members() -> tuple[Account, ...]:
    rng = random.Random("anggota")
    names = (full_name(rng, rng.choice("LP")) for _ in range(MEMBERS))
    return tuple(
        Account(str(2301001 + number), name, "anggota", "demo-anggota")
        for number, name in enumerate(names)
    )


ACCOUNTS = (
    Account("1001", "Hasan Wahyudi", "admin", "demo-admin"),
    Account("1002", "Siti Rahma", "bendahara", "demo-bendahara"),
    Account("1003", "Budi Prasetyo", "operator", "demo-operator"),
    *_members(),
)
