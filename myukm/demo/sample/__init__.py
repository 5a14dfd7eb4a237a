"""The sample campus: plain data, the same every time; only the demo and the tests use it."""

from myukm.demo.sample.accounts import ACCOUNTS, Account
from myukm.demo.sample.payments import payments
from myukm.demo.sample.students import STUDENTS, Student, index_of, student, students
from myukm.demo.sample.ukm import UKMS, Line, Ukm

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
