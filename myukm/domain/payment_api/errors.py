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
    RETRY = "retry"  # try again, up to `PEMBAYARAN_API_TRIES` times
    WAIT = "wait"  # all workers wait `wait` seconds; does not count as an attempt
    UNAUTHORIZED = "unauthorized"  # the token is refused, so no request can succeed
    FORBIDDEN = "forbidden"  # this student is refused, or the token is


class Failure(NamedTuple):
    """A failed request. `counts_as_outage`: it indicates that the API is down.

    `detail` is a plain string or a lazy translation.
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
