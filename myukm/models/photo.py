"""Profile photos, in the database: one backup has them, and every web server."""

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, key_type

# MariaDB's plain BLOB ends at 64 KiB.
Picture = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")


class Photo(Model):
    """A person's photo as two WebP squares; `digest` is the one in `user_account.photo_hash`."""

    __tablename__ = "user_photo"
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    digest: Mapped[str] = mapped_column(key_type(64), index=True)
    large: Mapped[bytes] = mapped_column(Picture)
    small: Mapped[bytes] = mapped_column(Picture)
