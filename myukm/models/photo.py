"""Profile photos. Stored in the database, so that backups and all web servers have them."""

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, key_type

# MariaDB's plain BLOB holds only 64 KiB.
MediumBlob = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")


class Photo(Model):
    """A user's photo as two WebP squares; `user_account.photo_hash` is the same `digest`."""

    __tablename__ = "user_photo"
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    digest: Mapped[str] = mapped_column(key_type(64), index=True)
    large: Mapped[bytes] = mapped_column(MediumBlob)
    small: Mapped[bytes] = mapped_column(MediumBlob)
