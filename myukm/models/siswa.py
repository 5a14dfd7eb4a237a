"""Students and what they owe."""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String, false, text
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, Rupiah, UTCDateTime, key_type

SEARCHED = ("nama", "idperson", "unit_formal", "kelas_formal", "asrama_pondok", "phone")
SEARCH_LENGTH = 480
PLACES = ("unit_formal", "kelas_formal", "asrama_pondok", "kamar_pondok", "tingkat_diniyah")
# Columns that lists add up and filter by, besides the search text.
SUMMED_UP = [
    *("status", "tunggakan", "lebih_bayar", "bill_set", "tidak_cocok", "active", "synced_at"),
    *PLACES,
]
# The condition for students whose bills are unknown or disagree. It is text, because a partial
# index is used only for a condition with the same text.
IN_DOUBT = text("(status = 'belum_sinkron' OR tidak_cocok)")
LEFT_OUT = {"Mn", "Cc", "Cf"}  # accents, control and format characters
# What keyboards and word processors write for the apostrophe in Ma'ruf, and for quotes.
QUOTES = "'`´ʹʻʼʽʾʿˈˊˋ˴ꞌ‘’‚‛′‵❛❜❮❯＇｀՚׳\"“”„‟«»‹›″‶‴‷ʺˮ❝❞〝〞〟＂״"
# Letters that NFKD does not decompose into a plain letter and an accent.
LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "ɓ": "b", "ɗ": "d"}
LETTERS |= {"æ": "ae", "œ": "oe", "þ": "th"}
FOLDED = str.maketrans(LETTERS | dict.fromkeys(QUOTES))


def fold(text: str) -> str:
    """Return `text` as searches compare it: without case, accents, apostrophes (Ma'ruf), quotes."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(FOLDED))
    if letters.isascii() and letters.isprintable():
        return letters
    return "".join(c for c in letters if unicodedata.category(c) not in LEFT_OUT)


def search_text(row: Mapping[str, str]) -> str:
    """Return the text that searches match for a student with these columns."""
    words = " ".join(row[name] for name in SEARCHED)
    return fold(words)[:SEARCH_LENGTH]


def _search_text(context: DefaultExecutionContext) -> str:
    return search_text(context.get_current_parameters())  # type: ignore[no-untyped-call]


def _is_no_sqlite(*_: Any, dialect: Dialect, **__: Any) -> bool:
    return dialect.name != "sqlite"


class Verdict(StrEnum):
    """The verdict on a student's bills or on a period's, the same in page, list, command, JSON."""

    BELUM_SINKRON = "belum_sinkron"
    TANPA_TAGIHAN = "tanpa_tagihan"
    TUNGGAKAN = "tunggakan"
    LUNAS = "lunas"


class Siswa(Model):
    """A student. `pembayaran` is the API's `periods` as they came; None before the first sync.

    `saldo` is the API's. Computed from the periods (see `domain.payment_api.owed`) are `tunggakan`,
    the amount owed for unpaid items, `lebih_bayar`, the amount overpaid for others, `status`, the
    verdict, `lunas`, the same for reports, `tidak_cocok`: the API's figures disagree, and
    `bill_set`: the periods and categories of the bills (see `BillSet`). `digest` identifies an
    unchanged answer; `etag` is the API's tag of that answer, last received at `etag_at`. `nim`, a
    column of an import, names the student's account.
    `search_text` is name, id, unit, class, dormitory and phone, folded: lists are searched and
    sorted by it. The list index begins with it and also has the columns of the filters.
    """

    __tablename__ = "siswa"
    __table_args__ = (
        Index("ix_siswa_nim", "nim"),
        Index(
            "ix_siswa_list",
            *("search_text", "id", "status", "lebih_bayar", "tidak_cocok", "active"),
            postgresql_include=["tunggakan", "synced_at", *PLACES, "bill_set"],
        ).ddl_if(callable_=_is_no_sqlite),
        # The columns that are added up, so that sums do not read the rows with their payments.
        Index("ix_siswa_sums", "id", postgresql_include=SUMMED_UP).ddl_if(dialect="postgresql"),
        # SQLite has no INCLUDE, and reading a row would read its payments. So on SQLite the index
        # itself has all columns of the filters.
        Index(
            "ix_siswa_list_with_sets",
            *("search_text", "id", "status", "lebih_bayar", "tidak_cocok", "active"),
            *("tunggakan", "synced_at", *PLACES, "idperson", "bill_set"),
        ).ddl_if(dialect="sqlite"),
        # For counting the students of each set of bills.
        Index("ix_siswa_bill_set", "bill_set"),
        Index(
            "ix_siswa_in_doubt",
            *("status", "tidak_cocok", "active", *PLACES, "search_text"),
            sqlite_where=IN_DOUBT,
        ).ddl_if(dialect="sqlite"),
        Index(
            "ix_siswa_in_doubt_on_server",
            "id",
            postgresql_include=["status", "tidak_cocok", "active", *PLACES],
            postgresql_where=IN_DOUBT,
        ).ddl_if(dialect="postgresql"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    idperson: Mapped[str] = mapped_column(key_type(64), unique=True)
    nama: Mapped[str] = mapped_column(String(160))
    gender: Mapped[str] = mapped_column(String(16), default="")
    lahirtempat: Mapped[str] = mapped_column(String(120), default="")
    lahirtanggal: Mapped[str] = mapped_column(String(32), default="")
    phone: Mapped[str] = mapped_column(String(32), default="")
    unit_formal: Mapped[str] = mapped_column(key_type(120), default="")
    kelas_formal: Mapped[str] = mapped_column(key_type(120), default="")
    asrama_pondok: Mapped[str] = mapped_column(key_type(120), default="")
    kamar_pondok: Mapped[str] = mapped_column(key_type(120), default="")
    tingkat_diniyah: Mapped[str] = mapped_column(key_type(120), default="")
    kelas_diniyah: Mapped[str] = mapped_column(String(120), default="")
    nim: Mapped[str] = mapped_column(key_type(32), default="", server_default="")
    search_text: Mapped[str] = mapped_column(key_type(SEARCH_LENGTH), default=_search_text)
    active: Mapped[bool] = mapped_column(default=True)
    pembayaran: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    saldo: Mapped[Decimal | None] = mapped_column(Rupiah)
    tunggakan: Mapped[Decimal | None] = mapped_column(Rupiah)
    lebih_bayar: Mapped[Decimal | None] = mapped_column(Rupiah)
    lunas: Mapped[bool | None]
    status: Mapped[str] = mapped_column(
        key_type(16), default=Verdict.BELUM_SINKRON, server_default=Verdict.BELUM_SINKRON
    )
    tidak_cocok: Mapped[bool] = mapped_column(default=False, server_default=false())
    bill_set: Mapped[int | None] = mapped_column(BigInteger)
    digest: Mapped[str | None] = mapped_column(key_type(64))
    synced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    etag: Mapped[str | None] = mapped_column(key_type(200))
    etag_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
