"""The history of the queues: samples of each ten seconds, five minutes and hour."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from myukm.db.base import Model
from myukm.db.types import UTCDateTime


class QueueSample(Model):
    """Activity of the queues in the `seconds` before `at`, normally as many as `step`.

    `queues` has an `ops.history.points.Point` for each queue, `starts` how many processes of each
    role started. `totals` are the counters from which a sample of ten seconds was computed, so that
    the next leader continues from them; longer steps have none.
    """

    __tablename__ = "queue_sample"
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UTCDateTime, primary_key=True)
    seconds: Mapped[int] = mapped_column()
    queues: Mapped[dict[str, Any]] = mapped_column(JSON)
    starts: Mapped[dict[str, int]] = mapped_column(JSON, default=dict)
    totals: Mapped[dict[str, Any] | None] = mapped_column(JSON)
