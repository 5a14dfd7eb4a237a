"""The lines about standstills in the log of a run."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from myukm.db import engine
from myukm.db.session import transaction
from myukm.domain.payment_api.shared_state import Reason
from myukm.domain.sync import commands, run_log
from myukm.domain.sync.standstill_log import StandstillLog
from myukm.extensions import db
from myukm.models import SyncRun
from tests.support import sync
from tests.support.sync import TREASURER


def test_a_line_that_failed_to_be_written_is_retried(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SQLITE_TIMEOUT", 0.05)
    with app.app_context():
        sync.create_students(1)
        commands.start(TREASURER)
        run = db.session.execute(select(SyncRun.id, SyncRun.started_at)).one()
        log, down = StandstillLog(), Reason("api_down", "API tidak menjawab")
        for reason, code in ((down, "api_down"), (None, "moving")):
            with transaction(), app.app_context(), pytest.raises(OperationalError, match="locked"):
                log.record(run, reason, stalled=False)
            assert code not in codes(run.id)
            for _second in range(2):
                log.record(run, reason, stalled=False)
            assert codes(run.id).count(code) == 1


def codes(run_id: int) -> list[str]:
    return [line["code"] for line in run_log.latest(run_id)]
