"""Who did what: the rows behind the audit page, a UKM's log and a run's actions."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from myukm.db.base import Model
from myukm.db.types import Id, UTCDateTime, key_type, utcnow
from myukm.models.user import User


class Activity(Model):
    """One action, of a person, of a command or of the program.

    `audited` rows are on the audit page. They store the names of the actor and the subject; a row
    in a UKM's log (`ukm_id`) only refers to accounts, so that it shows no deleted person. A run's
    actions (`run_id`) without `actor_name` are the program's.

    Accounts have no foreign key: their rows are never deleted, and the check would lock them.
    """

    __tablename__ = "activity"
    __table_args__ = (
        Index("ix_activity_at", "at"),
        Index("ix_activity_audited", "audited", "id"),
        Index("ix_activity_actor", "actor_id"),
        Index("ix_activity_person", "person_id"),
        Index("ix_activity_ukm", "ukm_id", "id"),
        Index("ix_activity_run", "run_id", "id"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    audited: Mapped[bool] = mapped_column()
    actor_id: Mapped[int | None] = mapped_column(Id)
    actor_name: Mapped[str | None] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(key_type(64))
    ukm_id: Mapped[int | None] = mapped_column(Id, ForeignKey("ukm.id", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(Id, ForeignKey("sync_run.id", ondelete="SET NULL"))
    person_id: Mapped[int | None] = mapped_column(Id)
    subject: Mapped[str] = mapped_column(String(200), default="")
    detail: Mapped[str] = mapped_column(String(200), default="")
    actor: Mapped[User | None] = relationship(
        primaryjoin=lambda: foreign(Activity.actor_id) == User.id, viewonly=True
    )
    person: Mapped[User | None] = relationship(
        primaryjoin=lambda: foreign(Activity.person_id) == User.id, viewonly=True
    )

    @property
    def verb(self) -> str:
        """The action without its area: `joined` of `unit.joined`."""
        return self.action.partition(".")[2]

    @property
    def shown_detail(self) -> str:
        """The detail as people may see it. That of a removal is hidden, because it contains the
        removed member's settings."""
        return "" if self.action in ("unit.removed", "unit.blocked") else self.detail
