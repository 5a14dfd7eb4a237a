"""Who leads: one process at a time does what must be done by one."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from myukm.database import Id, key_type
from myukm.orm import Model


class Leader(Model):
    """A lease without a clock: the holder raises `beat`; a beat that stands still is free."""

    __tablename__ = "leader"
    name: Mapped[str] = mapped_column(key_type(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(120), default="")
    beat: Mapped[int] = mapped_column(Id, default=0)
