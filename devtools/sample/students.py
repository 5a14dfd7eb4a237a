"""Students of the sample campus, as the payment API's `GET /siswa` returns them."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

from devtools.sample.names import TOWNS, full_name

STUDENTS = 6102
FIRST_ID = 100001
SCHOOL_YEAR = 2026


class Student(TypedDict):
    idperson: str
    nama: str
    gender: str
    lahirtempat: str
    lahirtanggal: str
    phone: str
    UnitFormal: str
    KelasFormal: str
    AsramaPondok: str | None
    KamarPondok: str | None
    TingkatDiniyah: str | None
    KelasDiniyah: str | None


@dataclass(frozen=True)
class Unit:
    """A school of the campus: its share of the students, and the age in its first grade."""

    name: str
    share: float
    first_age: int
    grades: tuple[str, ...]
    groups: tuple[str, ...]


UNITS = (
    Unit("SD Islam", 0.14, 6, ("I", "II", "III", "IV", "V", "VI"), ("A", "B", "C")),
    Unit("MTs", 0.26, 12, ("VII", "VIII", "IX"), tuple("ABCDEFGH")),
    Unit("SMP", 0.14, 12, ("VII", "VIII", "IX"), tuple("ABCDE")),
    Unit("MA", 0.18, 15, ("X", "XI", "XII"), ("IPA 1", "IPA 2", "IPS 1", "IPS 2", "Agama")),
    Unit("SMK", 0.12, 15, ("X", "XI", "XII"), ("TKJ 1", "TKJ 2", "RPL", "Akuntansi", "Tata Boga")),
    Unit(
        "Institut",
        0.16,
        18,
        ("Semester 1", "Semester 3", "Semester 5", "Semester 7"),
        ("PAI", "Ekonomi Syariah", "Informatika", "Bahasa Arab"),
    ),
)

DORMS = {
    "L": ("Al-Ghazali", "Ibnu Sina", "Sunan Ampel", "Sunan Giri", "Umar bin Khattab"),
    "P": ("Khadijah", "Aisyah", "Fatimah Az-Zahra", "Nyai Walidah", "Rabiah"),
}
DINIYAH = ("Ula", "Wustha", "Ulya")


def index_of(idperson: str, total: int = STUDENTS) -> int | None:
    """Return the index of `idperson` in a roster of `total` students, None if not in it."""
    if not re.fullmatch(r"[1-9][0-9]{5,8}", idperson):
        return None
    index = int(idperson) - FIRST_ID
    return index if 0 <= index < total else None


def students(total: int = STUDENTS) -> Iterator[Student]:
    """Yield the first `total` students; student N does not depend on `total`."""
    return (student(index) for index in range(total))


def student(index: int) -> Student:
    """Return student number `index`, from 0."""
    rng = random.Random(f"siswa {index}")
    gender = rng.choice("LP")
    unit = rng.choices(UNITS, [unit.share for unit in UNITS])[0]
    grade = rng.randrange(len(unit.grades))
    year = SCHOOL_YEAR - unit.first_age - grade
    boards = unit.name != "SD Islam" and rng.random() < 0.8
    return {
        "idperson": str(FIRST_ID + index),
        "nama": full_name(rng, gender),
        "gender": gender,
        "lahirtempat": rng.choice(TOWNS),
        "lahirtanggal": f"{year}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        "phone": f"08{rng.choice(('12', '13', '21', '52', '57', '95'))}{rng.randrange(10**8):08}",
        "UnitFormal": unit.name,
        "KelasFormal": f"{unit.grades[grade]} {rng.choice(unit.groups)}",
        "AsramaPondok": rng.choice(DORMS[gender]) if boards else None,
        "KamarPondok": f"{rng.choice('ABCD')}-{rng.randint(1, 24):02}" if boards else None,
        "TingkatDiniyah": (level := rng.choice(DINIYAH)) if boards else None,
        "KelasDiniyah": f"{rng.randint(1, 3)} {level} {rng.choice('ABC')}" if boards else None,
    }
