"""Who did what: the audit trail, the log of each UKM, and the actions on each run."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import joinedload

from myukm.db.session import on_commit
from myukm.domain.actor import Actor
from myukm.domain.paging import Page, paginate
from myukm.extensions import db
from myukm.logs import security_log
from myukm.models import Activity
from myukm.models.name_search import name_contains

# In characters. Longer texts are cut, because an action must not fail for a long list of names.
MAX_SUBJECT = MAX_DETAIL = 200
MAX_WORDS = 8
DELETION = "user.delete"


def record(
    actor: Actor, action: str, subject: str = "", *, run_id: int | None = None, detail: str = ""
) -> None:
    """Record an action for the audit page and the security log, inside its `transaction()`.

    The recorded account is that of the actor, else that of the request; a command has none. With
    `run_id` the action is also listed for that run. The audit page does not show `detail`.
    """
    account = actor.user_id or security_log.actor_id()
    row = Activity(audited=True, actor_id=account, actor_name=actor.name, action=action)
    row.subject, row.run_id, row.detail = subject[:MAX_SUBJECT], run_id, detail[:MAX_DETAIL]
    db.session.add(row)
    _log_on_commit(action, account=account, subject=row.subject or None)


def record_in_ukm(
    ukm_id: int,
    actor_id: int | None,
    verb: str,
    *,
    person_id: int | None = None,
    detail: str = "",
) -> None:
    """Record an action for a UKM's log and the security log, inside its `transaction()`.

    `person_id` is the account that the action concerns; without `actor_id` a command did it.
    """
    row = Activity(audited=False, actor_id=actor_id, action=f"unit.{verb}", ukm_id=ukm_id)
    row.person_id, row.detail = person_id, detail[:MAX_DETAIL]
    db.session.add(row)
    _log_on_commit(row.action, ukm=ukm_id, target=person_id)


def _log_on_commit(name: str, **fields: Any) -> None:
    """Write a line of the security log when the `transaction()` has committed; a rollback drops it.

    If the process is killed right after the commit, no line is written, but the table has the row.
    """
    on_commit(security_log.write, security_log.line(name, **fields))


def record_by_program(run_id: int, verb: str) -> None:
    """Record what the program did with a run, inside its `transaction()`."""
    db.session.add(Activity(audited=False, action=f"sync.{verb}", run_id=run_id))


def last_actor(run_id: int, verb: str) -> str | None:
    """Return the name of the person who last did `verb` to a run, None if nobody did."""
    query = select(Activity.actor_name).where(
        Activity.run_id == run_id, Activity.action == f"sync.{verb}"
    )
    return db.session.scalar(query.order_by(Activity.id.desc()).limit(1))


def audit_page(
    page: int = 1, q: str = "", action: str = "", actor_id: int | None = None
) -> Page[Activity]:
    """Return a page of the audit trail, the newest first.

    Each word of `q` must be in the actor's name or in the subject (`name_contains`). `action` is a
    prefix of the action, `actor_id` the account that did it.
    """
    query = select(Activity).where(Activity.audited).order_by(Activity.id.desc())
    for word in q.split()[:MAX_WORDS]:
        columns = (Activity.actor_name, Activity.subject)
        query = query.where(or_(*(name_contains(column, word) for column in columns)))
    if action:
        query = query.where(Activity.action.startswith(action, autoescape=True))
    if actor_id is not None:
        query = query.where(Activity.actor_id == actor_id)
    return paginate(query, page)


def ukm_page(ukm_id: int, page: int = 1) -> Page[Activity]:
    """Return a page of a UKM's log, the newest first, with the people it names."""
    return paginate(_of_ukm(ukm_id).options(joinedload(Activity.person)), page)


def newest_in_ukm(ukm_id: int, *verbs: str) -> Activity | None:
    """Return the newest entry with one of these actions in a UKM's log, with its actor."""
    return db.session.scalar(_of_ukm(ukm_id, *verbs).limit(1))


def newest_about(ukm_id: int, person_id: int, *verbs: str) -> Activity | None:
    """Return a UKM's newest log entry about a person; with `verbs`, of these actions only."""
    about = Activity.person_id == person_id
    return db.session.scalar(_of_ukm(ukm_id, *verbs).where(about).limit(1))


def _of_ukm(ukm_id: int, *verbs: str) -> Select[Activity]:
    """Select a UKM's log, the newest first; with `verbs`, entries of these actions only."""
    query = select(Activity).options(joinedload(Activity.actor)).where(Activity.ukm_id == ukm_id)
    if verbs:
        query = query.where(Activity.action.in_([f"unit.{verb}" for verb in verbs]))
    return query.order_by(Activity.id.desc())


def of_run(run_id: int) -> Sequence[Activity]:
    """Return the actions on a run, in order."""
    query = select(Activity).where(Activity.run_id == run_id).order_by(Activity.id)
    return db.session.scalars(query).all()
