"""Notifications of staff about runs and alerts: by role, and only while they are current."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.push import delivery, preferences
from myukm.domain.sync import anomaly_guard, lifecycle, pausing
from myukm.extensions import db
from myukm.models import Alert, Role, SyncRun, User
from myukm.models.sync import Status
from myukm.ops.alerts.records import Record, Records
from myukm.ops.findings import BROKEN, WARNING
from tests.domain.push.conftest import Campus, WhileSending

PEOPLE = ("admin", "bendahara", "operator", "member")


def start_run(**values: object) -> int:
    with transaction() as session:
        run = SyncRun(**{"status": Status.RUNNING, "live": True, "dispatched": True, **values})
        session.add(run)
        session.flush()
        return run.id


def alert(message: str, level: str = BROKEN) -> Record:
    at = "2026-11-30T00:00:00Z"
    return Record("no_worker", "no_worker", level, message, "", at, "", 1, 0.0)


def open_alert(records: Records, record: Record) -> None:
    records.put(record)
    records.store()


def test_a_run_with_failures_notifies_admins_and_treasurers(campus: Campus) -> None:
    browsers = {who: campus.subscribe(who) for who in PEOPLE}
    run_id = start_run(total=3, success=1, failed=2)
    lifecycle.complete(run_id)
    lifecycle.complete(run_id)
    assert delivery.deliver() == 2
    for who in ("admin", "bendahara"):
        (only,) = browsers[who].got
        assert only["title"] == "Sinkronisasi selesai, 2 gagal"
        assert only["body"] == "1 siswa berhasil."
        assert (only["path"], only["tag"]) == (
            f"/admin/sync-pembayaran/runs/{run_id}",
            f"run-{run_id}",
        )
    assert browsers["operator"].got == browsers["member"].got == []


def test_a_run_without_failures_notifies_nobody(campus: Campus) -> None:
    campus.subscribe("admin")
    lifecycle.complete(start_run(total=1, success=1))
    assert delivery.deliver() == 0


def test_failed_and_suspicious_runs_are_notified_with_their_reason(campus: Campus) -> None:
    siti = campus.subscribe("bendahara")
    run_id = start_run(total=9)
    pausing.pause_suspicious(run_id)
    assert delivery.deliver() == 1
    assert siti.got[0]["title"] == "Sinkronisasi menunggu keputusan Anda"
    assert siti.got[0]["body"].startswith("0 dari 0 jawaban API")
    assert db.session.get(SyncRun, run_id, populate_existing=True).reason_code == anomaly_guard.CODE
    with transaction() as session:
        lifecycle.fail(session, run_id, "jobs_fail", "Pekerjaan gagal berkali-kali.")
    with transaction() as session:
        session.execute(update(SyncRun).values(status=Status.RUNNING, live=True))
        lifecycle.fail(session, run_id, "jobs_fail", "Pekerjaan gagal berkali-kali.")
    assert delivery.deliver() == 1
    assert siti.got[1]["body"] == "Pekerjaan gagal berkali-kali."


def test_a_run_that_was_resumed_meanwhile_notifies_nobody(campus: Campus) -> None:
    siti = campus.subscribe("bendahara")
    run_id = start_run(total=9)
    pausing.pause_suspicious(run_id)
    with transaction() as session:
        session.execute(update(SyncRun).values(status=Status.RUNNING))
    assert delivery.deliver() == 0
    assert (siti.got, campus.count_deliveries()) == ([], 0)


def test_an_open_alert_notifies_operators_once(campus: Campus) -> None:
    oki, admin = campus.subscribe("operator"), campus.subscribe("admin")
    records = Records()
    for record in (alert("Tidak ada worker."), alert("Tidak ada worker.")):
        open_alert(records, record)
    assert delivery.deliver() == 1
    (only,) = oki.got
    assert (only["title"], only["body"]) == ("Peringatan MyUKM", "Tidak ada worker.")
    assert only["path"] == "/admin/antrian"
    assert admin.got == []


def test_an_alert_that_got_worse_is_a_later_event_of_the_same_notification(campus: Campus) -> None:
    oki, records = campus.subscribe("operator"), Records()
    open_alert(records, alert("Disk hampir penuh.", WARNING))
    assert delivery.deliver() == 1
    open_alert(records, alert("Disk penuh."))
    assert delivery.deliver() == 1
    first, second = oki.got
    assert (second["tag"], second["body"]) == (first["tag"], "Disk penuh.")
    assert second["id"] > first["id"]


def test_an_alert_that_gets_worse_while_it_is_sent_is_sent_again(
    campus: Campus, while_sending: WhileSending
) -> None:
    oki, records = campus.subscribe("operator"), Records()
    open_alert(records, alert("Disk hampir penuh.", WARNING))
    while_sending(lambda: open_alert(records, alert("Disk penuh.")))
    assert delivery.deliver() == 2
    assert [each["body"] for each in oki.got] == ["Disk hampir penuh.", "Disk penuh."]
    assert campus.count_deliveries() == 0


def test_a_resolved_alert_notifies_nobody(campus: Campus) -> None:
    campus.subscribe("operator")
    open_alert(Records(), alert("Tidak ada worker."))
    with transaction() as session:
        session.execute(update(Alert).values(resolved_at=utcnow() + timedelta(0)))
    assert delivery.deliver() == 0
    assert campus.count_deliveries() == 0


def lose_role(campus: Campus) -> None:
    with transaction() as session:
        session.execute(update(User).values(role=Role.ANGGOTA))


def switch_off(campus: Campus) -> None:
    chosen = {"show_text": True, "announcements": True, "staff": False}
    preferences.change(campus.people["operator"], **chosen, quiet_from="", quiet_until="")


@pytest.mark.parametrize("change", [lose_role, switch_off])
@pytest.mark.parametrize("first", [True, False])
def test_role_and_preference_are_checked_at_storing_and_at_sending(
    campus: Campus, change, first: bool
) -> None:
    campus.subscribe("operator")
    if first:
        change(campus)
    open_alert(Records(), alert("Tidak ada worker."))
    assert db.session.scalars(select(Alert.id)).all()
    change(campus)
    assert delivery.deliver() == 0
    assert campus.count_deliveries() == 0
