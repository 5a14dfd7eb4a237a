"""Actions on a run: who did what, and when."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from myukm.extensions import db
from myukm.models import SyncAction


def record(session: Session, run_id: int, code: str, actor: str | None = None) -> None:
    """Record an action inside its `transaction()`; `actor` None means the program itself."""
    session.add(SyncAction(run_id=run_id, code=code, actor=actor))


def of_run(run_id: int) -> Sequence[SyncAction]:
    """Return the actions on a run, in order."""
    query = select(SyncAction).where(SyncAction.run_id == run_id).order_by(SyncAction.id)
    return db.session.scalars(query).all()
