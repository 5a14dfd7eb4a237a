"""The job that syncs one requested student, unless a lane has claimed the request."""

import asyncio
import secrets
import time

from flask import current_app
from sqlalchemy import delete, exists, select

from myukm import shutdown
from myukm.db.session import transaction
from myukm.domain.payment_api import shared_state
from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.fetcher import FetchPool
from myukm.domain.payment_api.work_item import Item
from myukm.domain.sync import student_requests
from myukm.domain.sync.student_store import StudentStore, submit
from myukm.extensions import db
from myukm.models import Siswa, SyncRequest

TIMEOUT_SECONDS, HEARTBEAT_SECONDS, POLL_SECONDS = 120.0, 1.0, 0.02


def sync(idperson: str, *, requested: bool) -> str:
    """Fetch and store one student's payments; return success, unchanged, failed, gone or taken.

    Publishes the outcome as the event `sync.siswa`. "gone": the student does not exist. "taken": a
    lane or another job has claimed the request. `requested`: the caller has inserted the request.
    """
    if not db.session.scalar(select(exists().where(Siswa.idperson == idperson))):
        with transaction() as session:
            session.execute(delete(SyncRequest).where(SyncRequest.idperson == idperson))
        return "gone"
    if not requested:
        student_requests.add(idperson)
    store = StudentStore(secrets.token_hex(16))
    if students := store.claim(idperson):
        asyncio.run(_work(store, students))
    return store.results.get(idperson, "taken")


async def _work(store: StudentStore, students: list[Item]) -> None:
    """Fetch with a run's retries, for two minutes or half of the job's time at most.

    After an error the request stays claimed until the watchdog releases it and counts the loss.
    """
    job_seconds = current_app.config["SYNC_JOB_TIMEOUT"]
    deadline = time.monotonic() + min(TIMEOUT_SECONDS, job_seconds / 2)
    async with FetchPool(current_app.config, width=1) as pool:
        while store.claimed_ids and not shutdown.requested.is_set():
            submit(pool, students)
            update = pool.update()
            pool.merge(update, shared_state.exchange(update))
            await _until_turn(pool)
            failure = _failure(pool, deadline)
            failed = [item.complete(failure) for item in pool.unfinished.values() if failure]
            students = store.flush_and_claim([*pool.pop_results(), *failed])
    store.close()


async def _until_turn(pool: FetchPool) -> None:
    due = time.monotonic() + HEARTBEAT_SECONDS
    while time.monotonic() < due and not shutdown.requested.is_set():
        pool.raise_if_failed()
        pool.review_deferred(idle=pool.stalled)
        if pool.has_results or pool.policy.refused:
            return
        await asyncio.sleep(POLL_SECONDS)


def _failure(pool: FetchPool, deadline: float) -> Failure | None:
    """Return the failure that ends the job: a refused token or the deadline. None: continue."""
    if pool.policy.refused:
        return Failure("client_error", Action.FINAL, http=401)
    return Failure("timeout", Action.FINAL) if time.monotonic() > deadline else None
