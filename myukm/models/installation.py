"""The installation: one row that says which database this is."""

from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, key_type


class Installation(Model):
    """`id` is random, so that two databases are never confused. The doctor increments `writes`,
    because only a write shows that the database accepts writes."""

    __tablename__ = "installation"
    id: Mapped[str] = mapped_column(key_type(32), primary_key=True)
    writes: Mapped[int] = mapped_column(Id, default=0)
