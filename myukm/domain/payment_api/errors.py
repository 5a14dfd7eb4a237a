"""Failures of a request for payments: codes and messages."""

from enum import Enum
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

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
# aiohttp's exceptions in words, because a class name says nothing to operators.
EXCEPTIONS = {
    "ClientConnectorDNSError": _("nama servernya tidak dikenal"),
    "ClientConnectorCertificateError": _("sertifikat TLS-nya tidak dipercaya"),
    "ClientConnectorSSLError": _("sambungan TLS gagal"),
    "ClientConnectorError": _("sambungan ditolak, atau servernya mati"),
    "ServerDisconnectedError": _("sambungan diputus sebelum ada jawaban"),
    "ClientOSError": _("sambungan diputus sebelum ada jawaban"),
    "ClientConnectionResetError": _("sambungan diputus sebelum ada jawaban"),
    "ClientPayloadError": _("sambungan diputus di tengah jawaban"),
    "ClientResponseError": _("bukan jawaban HTTP yang sah"),
    "ContentEncodingError": _("isinya tidak sesuai dengan Content-Encoding"),
}


class Action(Enum):
    """What to do about a failure."""

    FINAL = "final"  # the student has failed
    RETRY = "retry"  # try again, up to `PEMBAYARAN_API_TRIES` times
    WAIT = "wait"  # all workers wait `wait` seconds; does not count as an attempt
    UNAUTHORIZED = "unauthorized"  # the token is refused, so no request can succeed
    FORBIDDEN = "forbidden"  # this student is refused, or the token is


class Failure(NamedTuple):
    """A failed request.

    `code` is a key of `MESSAGES`, `http` the status of the answer (None without one), `wait` the
    seconds until any request may be sent again (only for `Action.WAIT`). `detail` says more: the
    name of an exception, or a lazy translation.
    """

    code: str
    action: Action
    http: int | None = None
    wait: float = 0.0
    detail: Any = ""

    @property
    def counts_as_outage(self) -> bool:
        """Whether the failure indicates that the API is down."""
        return self.action is Action.RETRY and self.code in (
            "server_error",
            "timeout",
            "connection",
        )


def why(failure: Failure) -> Any:
    """Return the cause for people: "HTTP 503", else `detail` (aiohttp exception names in words),
    else an empty string."""
    if failure.http:
        return f"HTTP {failure.http}"
    return EXCEPTIONS.get(str(failure.detail), failure.detail)


def message(failure: Failure) -> LazyString:
    """Return what happened and why as one lazy sentence."""
    detail, text = why(failure), MESSAGES[failure.code]
    return LazyString(lambda: f"{text} ({detail})." if detail else f"{text}.")
