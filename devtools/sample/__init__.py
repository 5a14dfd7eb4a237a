"""The sample campus: deterministic plain data for demo, tests and benches."""

from devtools.sample.accounts import ACCOUNTS, Account
from devtools.sample.payments import payments
from devtools.sample.students import STUDENTS, Student, index_of, student, students
from devtools.sample.ukm import UKMS, Line, Ukm

__all__ = [
    "ACCOUNTS",
    "STUDENTS",
    "UKMS",
    "Account",
    "Line",
    "Student",
    "Ukm",
    "index_of",
    "payments",
    "student",
    "students",
]
