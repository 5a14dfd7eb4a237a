"""The eight UKMs of the sample campus, with members and messages."""

import random
from dataclasses import dataclass
from typing import NamedTuple

from devtools.sample.accounts import ACCOUNTS
from devtools.sample.talk import TALK


class Line(NamedTuple):
    """One message: the author's NIM, minutes before now, text."""

    nim: str
    minutes_ago: int
    text: str


@dataclass(frozen=True)
class Ukm:
    """A UKM; the first of `members` (NIMs) is its admin; `lines` are oldest first."""

    code: str
    name: str
    description: str
    members: tuple[str, ...]
    lines: tuple[Line, ...]


DESCRIPTIONS = (
    ("ROBOTIK", "UKM Robotika", "Merakit robot line follower dan KRI, dari solder sampai juara."),
    ("PRAMUKA", "Racana Pramuka", "Kepramukaan tingkat penegak dan pandega, latihan tiap Jumat."),
    ("PADUS", "Paduan Suara Gema Santri", "Latihan vokal, wisuda, dan lomba antarkampus."),
    ("FUTSAL", "UKM Futsal", "Latihan Selasa dan Sabtu malam di GOR, putra dan putri."),
    ("PERS", "Pers Mahasiswa Lentera", "Majalah, portal berita, dan kelas menulis."),
    ("TEATER", "Teater Kala", "Panggung, naskah, dan properti dari barang bekas."),
    ("MAPALA", "Mapala Arga Buana", "Pendakian, konservasi, dan pertolongan pertama."),
    ("HADRAH", "Hadrah Al-Banjari", "Selawat, rebana, dan tampil pada peringatan hari besar."),
)

_STUDENTS = tuple(account.nim for account in ACCOUNTS if account.role == "anggota")


def _members(number: int, code: str) -> tuple[str, ...]:
    """Return the NIMs of a UKM's members. The demo's first member is in every UKM, so that one
    log-in shows them all."""
    rng = random.Random(f"ukm {code}")
    own = _STUDENTS[1 + number * 6 : 7 + number * 6]
    others = [nim for nim in _STUDENTS[1:] if nim not in own]
    return (*own, _STUDENTS[0], *rng.sample(others, rng.randint(6, 16)))


def _lines(code: str, members: tuple[str, ...]) -> tuple[Line, ...]:
    rng = random.Random(f"percakapan {code}")
    spoken = TALK[code]
    minutes = 60 * 30
    lines = []
    for position, (speaker, text) in enumerate(spoken):
        minutes -= rng.randint(1, 2 * minutes // (len(spoken) - position + 1))
        lines.append(Line(members[speaker], minutes, text))
    return tuple(lines)


def _ukm(number: int, code: str, name: str, description: str) -> Ukm:
    members = _members(number, code)
    return Ukm(code, name, description, members, _lines(code, members))


UKMS = tuple(_ukm(number, *ukm) for number, ukm in enumerate(DESCRIPTIONS))
