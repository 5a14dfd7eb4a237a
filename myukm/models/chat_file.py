"""Files of the UKM chat. Their bytes are in the storage (`myukm/storage/`)."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow

PREVIEW_PIXELS = 320  # the longer side of a thumbnail on a page


class ChatFile(Model):
    """A file that a member uploaded; without `message_id` it is not sent yet.

    `digest` and `thumbnail` name bytes in the storage. The row is written before the bytes are
    stored, so that a concurrent deletion of equal bytes finds this row and keeps them; `stored_at`
    is set afterwards. `width` and `height` are set for pictures only.
    """

    __tablename__ = "chat_file"
    __table_args__ = (
        UniqueConstraint("ukm_id", "user_id", "client_id"),
        Index("ix_chat_file_message_id", "message_id", "position"),
        Index("ix_chat_file_ukm_id", "ukm_id", "size"),
        Index("ix_chat_file_user_id", "user_id", "size"),
        Index("ix_chat_file_digest", "digest"),
        Index("ix_chat_file_thumbnail", "thumbnail"),
        # Browsers cache a file under its id, so the id of a deleted file is never used again.
        {"sqlite_autoincrement": True},
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ukm_id: Mapped[int] = mapped_column(Id, ForeignKey("ukm.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("user_account.id", ondelete="CASCADE"))
    message_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("chat_message.id", ondelete="CASCADE")
    )
    position: Mapped[int] = mapped_column(default=0)
    client_id: Mapped[str] = mapped_column(key_type(64))
    name: Mapped[str] = mapped_column(String(120))
    type: Mapped[str] = mapped_column(key_type(100))
    size: Mapped[int] = mapped_column(BigInteger)
    width: Mapped[int | None] = mapped_column()
    height: Mapped[int | None] = mapped_column()
    digest: Mapped[str] = mapped_column(key_type(64))
    thumbnail: Mapped[str | None] = mapped_column(key_type(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    stored_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def is_picture(self) -> bool:
        """Whether pages show the file as a picture; other files are shown as a download link."""
        return self.thumbnail is not None

    @property
    def path(self) -> str:
        """Its path in an archive. The id makes the path unique, also in file systems that ignore
        case."""
        name = self.name.replace("/", "_").replace("\\", "_")
        return f"files/{self.id}-{name}"

    def as_json(self, code: str) -> dict[str, Any]:
        """Return the file as `File` of docs/api.yaml; `code` is its UKM's code."""
        url = f"/ukm/{code}/files/{self.id}"
        return {
            "id": self.id,
            "name": self.name,
            "type": self.type,
            "size": self.size,
            "width": self.width,
            "height": self.height,
            "url": url,
            "thumbnail": self._preview(f"{url}/thumbnail"),
        }

    def _preview(self, url: str) -> dict[str, Any] | None:
        """Return the thumbnail and its size on a page, in CSS pixels."""
        if not (self.thumbnail and self.width and self.height):
            return None
        scale = min(1, PREVIEW_PIXELS / max(self.width, self.height))
        width, height = (max(1, round(side * scale)) for side in (self.width, self.height))
        return {"url": url, "width": width, "height": height}
