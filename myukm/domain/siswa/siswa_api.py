"""The payment API's roster: `GET /siswa`, asked once, with every failure in words."""

from typing import Any

import requests
from flask import current_app
from flask_babel import lazy_gettext as _

from myukm.domain.siswa.siswa_rows import COLUMN_OF
from myukm.errors import DomainError, Unavailable


def fetch() -> list[dict[str, Any]]:
    """Return every student of the payment API, keyed by our columns.

    Raises `Unavailable` when it does not answer, refuses, or answers something else.
    """
    answer = _get(f"{current_app.config['PEMBAYARAN_API_URL']}/siswa")
    if answer.status_code in (401, 403):
        raise _failure("unauthorized", _("menolak token (PEMBAYARAN_API_TOKEN)"))
    if answer.status_code != 200:
        raise _failure("bad_status", _("menjawab %(status)d", status=answer.status_code))
    try:
        body = answer.json()
    except requests.exceptions.JSONDecodeError:
        raise _failure("invalid_body", _("menjawab sesuatu yang bukan JSON")) from None
    return _students(body)


def _get(url: str) -> requests.Response:
    token = current_app.config["PEMBAYARAN_API_TOKEN"]
    timeout = current_app.config["PEMBAYARAN_API_TIMEOUT"]
    headers = {"Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        return requests.get(url, headers=headers, timeout=timeout, allow_redirects=False)
    except requests.Timeout:
        raise _failure(
            "timeout", _("tidak menjawab dalam %(seconds)g detik", seconds=timeout)
        ) from None
    except requests.exceptions.SSLError:
        raise _failure("connection", _("memakai sertifikat yang salah")) from None
    except requests.RequestException:
        raise _failure("connection", _("tidak bisa dihubungi")) from None


def _students(body: Any) -> list[dict[str, Any]]:
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or not all(isinstance(student, dict) for student in data):
        raise _failure("invalid_body", _("menjawab dengan bentuk lain dari yang dijanjikan"))
    if not data:
        raise _failure("no_students", _("menjawab tanpa satu siswa pun"))
    return [
        {COLUMN_OF[k.lower()]: v for k, v in student.items() if k.lower() in COLUMN_OF}
        for student in data
    ]


def _failure(code: str, what: Any) -> DomainError:
    address = current_app.config["PEMBAYARAN_API_URL"]
    message = _("API pembayaran (%(address)s) %(what)s.", address=address, what=what)
    return Unavailable(message, code=code)
