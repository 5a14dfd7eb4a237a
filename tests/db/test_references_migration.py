"""The upgrade of a database as 0.1 left it, with a live run, keeps everything that is not an event,
under today's names; old events are gone with the texts that they copied."""

import json
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import func, select, text

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import event_rendering
from myukm.domain.chat import broadcast, history, messages, reactions
from myukm.domain.ukm import memberships
from myukm.domain.ukm import state as ukm_state
from myukm.extensions import db
from myukm.live import event_log
from myukm.models import (
    ChatMessage,
    LeaderLease,
    MessageReport,
    SyncItem,
    SyncLane,
    SyncRequest,
    SyncRun,
    User,
)
from myukm.web.first_events import Span, replay
from tests.conftest import every_database
from tests.support import people
from tests.support.old_database import BEFORE, DAY_AGO, store
from tests.support.people import UKM

MESSAGES, DELETED, PINNED = 10_000, 3, 5


def fill(ids: dict[str, int]) -> None:
    """Store a live run, a long chat, and a log that copies texts and names."""
    run = {"id": 7, "live": 1, "status": "running", "dry_run": False, "pruned": False}
    run |= {"total": 2, "success": 1, "unchanged": 0, "failed": 0, "cancelled": 0, "mismatched": 0}
    run |= {"hidden": False, "chosen": ["1", "2"], "compared": 4, "trusted": True, "crashes": 2}
    store("sync_run", run | {"dispatched": True, "moved_at": DAY_AGO, "started_at": DAY_AGO})
    item: dict[str, Any] = {"run_id": 7, "attempts": 1, "strikes": 3, "waited": 9}
    done = {"idperson": "1", "status": "success", "at": DAY_AGO, "lane_id": None}
    store("sync_item", item | done, item | done | {"idperson": "2", "status": "claimed"})
    store("sync_lane", {"id": "L", "run_id": 7, "worker": "", "beat": 41, "started_at": DAY_AGO})
    store("sync_request", {"idperson": "2", "beat": 5, "losses": 0, "at": DAY_AGO})
    with transaction() as session:
        session.execute(text("UPDATE leader SET holder = 'old', beat = 77"))
    store("chat_message", *(message(n, ids["member"]) for n in range(1, MESSAGES + 1)))
    store("chat_reaction", {"message_id": 4, "user_id": ids["friend"], "emoji": "👍"})
    store("ukm_pin", {"ukm_id": 1, "message_id": PINNED, "text": "", "at": DAY_AGO})
    report = {"ukm_id": 1, "message_id": 6, "user_id": ids["friend"], "reason": "kasar"}
    store("message_report", report | {"at": DAY_AGO})
    store("event", *(event(n) for n in range(1, 51)))
    with transaction() as session:
        session.execute(text("UPDATE event_counter SET value = 50"))
        session.execute(text(f"UPDATE ukm SET last_number = {MESSAGES} WHERE id = 1"))
        gone = "UPDATE user_account SET name = 'Pengguna terhapus', deleted_at = created_at"
        session.execute(text(f"{gone} WHERE id = {ids['operator']}"))


def message(number: int, author: int) -> dict[str, Any]:
    gone = number == DELETED
    row = {"ukm_id": 1, "user_id": author, "client_id": str(number)}
    row |= {"number": number, "body": "" if gone else f"pesan {number}", "created_at": DAY_AGO}
    return row | {"deleted_at": DAY_AGO if gone else None, "published_at": DAY_AGO}


def event(number: int) -> dict[str, Any]:
    data = f'{{"id":{number},"name":"Nama Yang Terhapus","message":"rahasia"}}'
    about = {"topic": f"ukm:{UKM}", "type": "chat.message", "data": data}
    return {"seq": number, "at": utcnow(), **about}


@pytest.fixture
def upgraded(app: Flask) -> tuple[Flask, dict[str, int]]:
    with app.app_context():
        ids = people.create_accounts()
        flask_migrate.downgrade(revision=BEFORE)
        fill(ids)
        flask_migrate.upgrade()
    return app, ids


def check_sync() -> None:
    """Assert that the live run has every figure under its new name."""
    db.session.remove()
    run = db.session.get_one(SyncRun, 7)
    assert (run.live, run.status, run.dispatched, run.dismissed) == (1, "running", True, False)
    assert (run.selected_ids, run.compared_count, run.answers_accepted) == (["1", "2"], 4, True)
    assert (run.crash_count, run.last_progress_at) == (2, DAY_AGO)
    items = db.session.scalars(select(SyncItem).order_by(SyncItem.id)).all()
    found = [(one.breaker_hits, one.retry_after_seconds, one.finished_at) for one in items]
    assert found == [(3, 9, DAY_AGO)] * 2
    assert db.session.get_one(SyncLane, "L").heartbeat == 41
    assert db.session.scalars(select(SyncRequest.heartbeat)).all() == [5]
    lease = db.session.scalars(select(LeaderLease)).one()
    assert (lease.name, lease.holder, lease.heartbeat) == ("watch", "old", 77)
    db.session.remove()  # a migration would wait for this transaction


@every_database
def test_a_live_run_goes_on_under_new_names_and_back(upgraded: tuple[Flask, Any]) -> None:
    app, _ids = upgraded
    with app.app_context():
        check_sync()
        flask_migrate.downgrade(revision=BEFORE)
        flask_migrate.upgrade()
        check_sync()
        flask_migrate.stamp(revision=BEFORE)  # as if the upgrade was killed at its end
        flask_migrate.upgrade()
        check_sync()


@every_database
def test_all_messages_are_kept_and_deleted_texts_cannot_be_read(
    upgraded: tuple[Flask, Any],
) -> None:
    app, ids = upgraded
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(ChatMessage)) == MESSAGES
        membership = memberships.get_membership(ids["member"], UKM)
        assert len(history.page(membership)) > 0
        assert (ukm_state.pin(1) or {})["text"] == f"pesan {PINNED}"
        assert reactions.of([4], ids["friend"])[4][0]["mine"]
        assert db.session.scalars(select(MessageReport.reason)).all() == ["kasar"]
        assert (
            db.session.scalar(text("SELECT count(*) FROM event WHERE data LIKE '%rahasia%'")) == 0
        )
        friend = db.session.get_one(User, ids["friend"])
        messages.delete(ids["member"], UKM, PINNED)
        messages.post(friend, UKM, "sesudah", "c")
        broadcast.publish(1)
        found = event_rendering.since(0, 100, [f"ukm:{UKM}"])
        assert [one.seq for one in found] == [51, 52, 53]
        assert json.loads(found[1].data or "")["deleted"]
        assert ukm_state.pin(1) is None


@every_database
def test_a_cursor_from_before_is_reset(upgraded: tuple[Flask, Any]) -> None:
    app, _ids = upgraded
    with app.app_context():
        newest, topics = event_log.latest_seq(), frozenset({f"ukm:{UKM}"})
        spans = [Span(cursor, newest, topics) for cursor in (1, 49, 50)]
        assert replay(spans) == [None, None, b""]
