"""Web Push: the server's key, subscriptions, preferences, cursors and deliveries."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow

TAG_LENGTH = 64


class PushKey(Model):
    """The key pair (VAPID, RFC 8292) by which push services know this installation.

    One row, whose `id` is 1. All machines share the key. It never changes, because a browser's
    subscription is valid for one key only.
    """

    __tablename__ = "push_key"
    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    private: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)


class PushSubscription(Model):
    """The subscription of one browser, which belongs to its log-in and ends with it.

    `endpoint` is a secret: with it, `p256dh` and `auth`, anyone could send to the browser.
    """

    __tablename__ = "push_subscription"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    login: Mapped[str] = mapped_column(
        key_type(64), ForeignKey("login_session.token", ondelete="CASCADE"), unique=True
    )
    endpoint: Mapped[str] = mapped_column(Text)
    endpoint_hash: Mapped[str] = mapped_column(key_type(64), unique=True)
    p256dh: Mapped[str] = mapped_column(String(100))
    auth: Mapped[str] = mapped_column(String(32))
    lang: Mapped[str] = mapped_column(key_type(8))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)


class PushPreference(Model):
    """The choices of a person for all devices; without a row the defaults apply.

    `quiet_from` and `quiet_until` are minutes after midnight in the campus's time zone.
    """

    __tablename__ = "push_preference"
    user_id: Mapped[int] = mapped_column(
        Id, ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    show_text: Mapped[bool] = mapped_column(default=True)
    announcements: Mapped[bool] = mapped_column(default=True)
    staff: Mapped[bool] = mapped_column(default=True)
    quiet_from: Mapped[int | None]
    quiet_until: Mapped[int | None]


class PushCursor(Model):
    """The last message and announcement of a UKM for which deliveries were created."""

    __tablename__ = "push_cursor"
    ukm_id: Mapped[int] = mapped_column(
        Id, ForeignKey("ukm.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(Id, default=0)
    pinned_at: Mapped[datetime | None] = mapped_column(UTCDateTime)


class PushDelivery(Model):
    """A notification to be sent to a browser; deleted when the push service has accepted it.

    A later delivery with the same `tag` replaces it. `ref` is the id of the newest event. `claim`
    is the random name of the job that sends it.
    """

    __tablename__ = "push_delivery"
    __table_args__ = (
        UniqueConstraint("subscription_id", "tag"),
        Index("ix_push_delivery_due", "claim", "due_at"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subscription_id: Mapped[int] = mapped_column(
        Id, ForeignKey("push_subscription.id", ondelete="CASCADE")
    )
    tag: Mapped[str] = mapped_column(key_type(TAG_LENGTH))
    kind: Mapped[str] = mapped_column(key_type(16))
    ref: Mapped[int] = mapped_column(Id)
    ukm_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("ukm.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    due_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    tries: Mapped[int] = mapped_column(default=0)
    claim: Mapped[str | None] = mapped_column(key_type(16))
