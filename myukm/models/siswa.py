"""Students and what they owe."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from myukm.database import Id, Rupiah, UTCDateTime, key_type
from myukm.models.base import Model


class Siswa(Model):
    """A student. `pembayaran` is the API's `periods` as they came; None before the first sync.

    `saldo` is the API's; `tunggakan` is the sum of what remains to be paid; `lunas` says that
    nothing does; `digest` tells an unchanged answer.
    """

    __tablename__ = "siswa"
    __table_args__ = (
        Index("ix_siswa_nama", "nama"),
        Index("ix_siswa_lunas_nama", "lunas", "nama"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    idperson: Mapped[str] = mapped_column(key_type(64), unique=True)
    nama: Mapped[str] = mapped_column(String(160))
    gender: Mapped[str] = mapped_column(String(16), default="")
    lahirtempat: Mapped[str] = mapped_column(String(120), default="")
    lahirtanggal: Mapped[str] = mapped_column(String(32), default="")
    phone: Mapped[str] = mapped_column(String(32), default="")
    unit_formal: Mapped[str] = mapped_column(String(120), default="")
    kelas_formal: Mapped[str] = mapped_column(String(120), default="")
    asrama_pondok: Mapped[str] = mapped_column(String(120), default="")
    kamar_pondok: Mapped[str] = mapped_column(String(120), default="")
    tingkat_diniyah: Mapped[str] = mapped_column(String(120), default="")
    kelas_diniyah: Mapped[str] = mapped_column(String(120), default="")
    active: Mapped[bool] = mapped_column(default=True)
    pembayaran: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    saldo: Mapped[Decimal | None] = mapped_column(Rupiah)
    tunggakan: Mapped[Decimal | None] = mapped_column(Rupiah)
    lunas: Mapped[bool | None]
    digest: Mapped[str | None] = mapped_column(key_type(64))
    synced_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
