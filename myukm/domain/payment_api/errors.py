"""Failures of a request for payments: codes and messages."""

from enum import Enum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _

MESSAGES = {
    "not_found": _("Siswa tidak dikenal API pembayaran"),
    "server_error": _("API pembayaran mengalami gangguan"),
    "timeout": _("API pembayaran tidak menjawab pada waktunya"),
    "connection": _("Tidak dapat tersambung ke API pembayaran"),
    "invalid_body": _("Jawaban API pembayaran tidak dapat dibaca"),
    "too_large": _("Jawaban API pembayaran lebih dari 5 MB"),
    "wrong_student": _("API pembayaran menjawab dengan data siswa lain"),
    "client_error": _("API pembayaran menolak permintaan"),
    "internal": _("MyUKM gagal membaca jawaban API pembayaran; sebabnya ada di log"),
}


class Action(Enum):
    """What to do about a failure."""

    FINAL = "final"  # the student has failed
    RETRY = "retry"  # try again, up to so many times
    WAIT = "wait"  # everybody waits `wait` seconds; no attempt is spent
    UNAUTHORIZED = "unauthorized"  # the token is refused: nothing will work
    FORBIDDEN = "forbidden"  # this student is refused, or the token is


class Failure(NamedTuple):
    """A request that brought no payments. `counts_as_outage` says that it speaks for an API that is
    down.

    `detail` is a plain or translatable (lazy) text.
    """

    code: str
    action: Action
    http: int | None = None
    wait: float = 0.0
    detail: Any = ""

    @property
    def counts_as_outage(self) -> bool:
        return self.action is Action.RETRY and self.code in (
            "server_error",
            "timeout",
            "connection",
        )


def message(failure: Failure) -> str:
    """Return what happened in one sentence of the campus's language."""
    detail = f"HTTP {failure.http}" if failure.http else failure.detail
    text = str(MESSAGES[failure.code])
    return f"{text} ({detail})." if detail else f"{text}."
