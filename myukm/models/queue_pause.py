"""Which queues are paused."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type


class QueuePause(Model):
    """A queue that is or was paused. `generation` rises with each change (`queues.pauses`).

    `since` and `actor_name` say when and by whom it was paused; None while it is not paused.
    """

    __tablename__ = "queue_pause"
    queue: Mapped[str] = mapped_column(key_type(40), primary_key=True)
    generation: Mapped[int] = mapped_column(Id, default=0)
    since: Mapped[datetime | None] = mapped_column(UTCDateTime)
    actor_name: Mapped[str | None] = mapped_column(String(120))
