"""Imports in steps: a preview writes nothing, a killed job is continued, an undo restores all."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg.errors import LockNotAvailable
from rq.timeouts import JobTimeoutException
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from devtools.simulator.client import Simulator
from myukm.db.session import is_in_transaction, transaction
from myukm.db.types import utcnow
from myukm.domain.actor import Actor
from myukm.domain.roster import (
    api_source,
    applying,
    claim,
    differences,
    file_source,
    importing,
    imports,
    parts,
    planning,
    preview,
    retention,
    watchdog,
    work,
)
from myukm.domain.roster.reader import Reader
from myukm.domain.siswa import links
from myukm.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from myukm.extensions import db
from myukm.models import Activity, RosterChange, RosterImport, RosterPart, Siswa, User
from myukm.models.roster import ChangeKind, ImportStatus
from tests.conftest import every_database

BY = Actor("Budi Santoso", 7)
FIRST = "idperson,nama,phone\n1,Ani,081\n2,Budi,082\n3,Cici,083\n"


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


def planned(text: str | bytes, *, whole: bool = False, by: Actor = BY) -> RosterImport:
    """Upload a file and run the job that makes its preview."""
    data = text.encode() if isinstance(text, str) else text
    one = imports.upload(by, io.BytesIO(data), "siswa.csv", whole=whole)
    work.advance(one.id)
    return one


def applied(text: str, *, whole: bool = False) -> RosterImport:
    one = planned(text, whole=whole)
    imports.start_apply(one, one.plan, accept=True)
    work.advance(one.id)
    assert one.status == ImportStatus.APPLIED
    return one


def undone(one: RosterImport) -> RosterImport:
    imports.start_undo(one, Actor("Siti Rahma", 1))
    work.advance(one.id)
    return one


def stored() -> dict[str, tuple[str, str, bool]]:
    db.session.rollback()
    query = select(Siswa.idperson, Siswa.nama, Siswa.phone, Siswa.active)
    return {row[0]: (row[1], row[2], row[3]) for row in db.session.execute(query)}


def shown(one: RosterImport, kind: str) -> list[tuple[str, object, object]]:
    return [(c.idperson, c.old, c.new) for c in preview.changes(one, kind).items]


@every_database
def test_a_preview_writes_nothing_and_applying_writes_its_changes(inside: Flask) -> None:
    applied(FIRST)
    before = stored()
    one = planned("idperson,nama,phone\n1,Ani,081\n2,Budi Santoso,\n4,Dedi,084\n", whole=True)
    assert (one.status, one.students, one.added, one.changed, one.leaving) == ("ready", 3, 1, 1, 1)
    assert stored() == before
    was, becomes = {"nama": "Budi", "phone": "082"}, {"nama": "Budi Santoso", "phone": ""}
    assert shown(one, "changed") == [("2", was, becomes)]
    assert shown(one, "new") == [("4", None, {"idperson": "4", "nama": "Dedi", "phone": "084"})]
    assert shown(one, "leaving") == [("3", {"active": True}, {"active": False})]
    imports.start_apply(one, one.plan, accept=True)
    work.advance(one.id)
    assert stored() == {
        "1": ("Ani", "081", True),
        "2": ("Budi Santoso", "", True),
        "3": ("Cici", "083", False),
        "4": ("Dedi", "084", True),
    }
    row = db.session.scalars(select(Activity).order_by(Activity.id.desc())).first()
    assert row
    assert (row.action, row.actor_name) == ("siswa.import", "Budi Santoso")
    assert row.subject == "CSV: 3 siswa, +1 ~1 -1"
    assert db.session.scalar(select(func.count()).select_from(RosterPart)) == 0
    assert undone(one).status == "undone"
    assert stored() == before
    row = db.session.scalars(select(Activity).order_by(Activity.id.desc())).first()
    assert row
    assert (row.action, row.actor_name) == ("siswa.import_undo", "Siti Rahma")


def test_a_wrong_field_leaves_out_only_its_student(inside: Flask) -> None:
    applied(FIRST)
    text = f"idperson,nama,phone\n1,Ani,{'0' * 33}\n2,Budi,09\n,Siapa,1\n5,Eka\n2,Dua,09\n6,a,b,c\n"
    one = planned(text, whole=True)
    wrong = preview.changes(one, "wrong").items
    assert [(row.line, row.nama, row.idperson) for row in wrong] == [
        (2, "Ani", "1"),
        (4, "Siapa", ""),
        (6, "Dua", "2"),
        (7, "", ""),
    ]
    assert "phone lebih dari 32" in (wrong[0].reason or "")
    assert (one.students, one.added, one.changed, one.leaving, one.wrong) == (1, 1, 0, 0, 4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"nomor,siapa\n1,Ani\n", "Baris 1: kolom idperson, nama tidak ada."),
        ("idperson,nama\n1,Zoë\n".encode("cp1252"), "Baris 2: bukan UTF-8"),
        ("idperson\tnama\n1\tZoë\n".encode("utf-16"), "Baris 1: ini teks UTF-16"),
        (b"idperson,nama\n", "Tidak ada siswa di dalamnya."),
        (b"idperson,nama\n1,\n", "Baris 2: nama kosong."),
        (b"PK\x03\x04", "rusak"),
    ],
)
def test_an_unreadable_file_fails_with_its_reason(inside: Flask, data: bytes, message: str) -> None:
    one = planned(data)
    assert one.status == "failed"
    assert message in (one.error or "")
    assert stored() == {}


@pytest.mark.parametrize(
    "text", ["\ufeffsep=;\nidperson;nama\n0012;Ani\n", "idperson\tnama\n0012\tAni"]
)
def test_csv_and_tab_separated_files_of_spreadsheets_are_accepted(inside: Flask, text: str) -> None:
    assert planned(text).added == 1


def test_a_file_that_is_empty_or_too_large_is_not_stored(
    inside: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Invalid, match="0 byte"):
        planned(b"")
    monkeypatch.setattr("myukm.domain.roster.parts.MAX_BYTES", 1000)
    with pytest.raises(DomainError, match="lebih dari"):
        planned(b"x" * 1001)
    assert db.session.scalar(select(func.count()).select_from(RosterImport)) == 0


@every_database
def test_all_parts_of_a_large_file_are_read(inside: Flask) -> None:
    rows = (f"{number},{'Nama ' * 30}\n" for number in range(4000))
    text = "idperson,nama\n" + "".join(rows)
    assert len(text) > parts.PART_BYTES > 64 << 10
    assert planned(text).students == 4000


def test_only_its_owner_sees_a_preview_and_the_owners_next_one_replaces_it(inside: Flask) -> None:
    one = planned(FIRST)
    with pytest.raises(NotFound):
        imports.find(one.id, 8)
    assert imports.find(one.id, 7).id == one.id
    other = planned(FIRST, by=Actor("Siti", 8))
    again = planned(FIRST)
    with pytest.raises(NotFound):
        imports.find(one.id, 7)
    assert {other.id, again.id} == set(db.session.scalars(select(RosterImport.id)))


def test_a_preview_is_made_anew_if_another_import_was_applied_meanwhile(inside: Flask) -> None:
    applied(FIRST)
    one = planned("idperson,nama\n1,Ani Wijaya\n2,Budi\n")
    assert one.changed == 1
    other = planned("idperson,nama\n2,Bambang\n", by=Actor("Siti", 8))
    imports.start_apply(other, other.plan, accept=False)
    work.advance(other.id)
    imports.start_apply(one, one.plan, accept=False)
    assert (one.status, one.outdated) == ("reading", True)
    work.advance(one.id)
    assert (one.status, one.changed, one.plan) == ("ready", 2, 2)
    assert stored()["1"][0] == "Ani"
    with pytest.raises(Conflict):
        imports.start_apply(one, 1, accept=False)
    imports.start_apply(one, 2, accept=False)
    work.advance(one.id)
    assert [stored()[i][0] for i in "12"] == ["Ani Wijaya", "Budi"]


def test_a_student_who_changed_after_the_preview_is_skipped(inside: Flask) -> None:
    applied(FIRST)
    one = planned("idperson,nama\n1,Ani Wijaya\n2,Bambang\n")
    with transaction() as session:
        session.execute(update(Siswa).where(Siswa.idperson == "1").values(nama="Anita"))
    imports.start_apply(one, one.plan, accept=False)
    work.advance(one.id)
    assert [stored()[i][0] for i in "12"] == ["Anita", "Bambang"]
    assert (one.skipped, [c.idperson for c in preview.changes(one, "skipped").items]) == (1, ["1"])
    undone(one)
    assert [stored()[i][0] for i in "12"] == ["Anita", "Budi"]


def test_only_one_import_at_a_time_changes_students(inside: Flask) -> None:
    one, other = planned(FIRST), planned(FIRST, by=Actor("Siti", 8))
    imports.start_apply(one, one.plan, accept=False)
    with pytest.raises(Conflict, match="Impor lain sedang berjalan"):
        imports.start_apply(other, other.plan, accept=False)


def test_many_students_become_inactive_only_if_accepted(inside: Flask) -> None:
    applied(FIRST)
    one = planned("idperson,nama\n1,Ani\n", whole=True)
    with pytest.raises(Conflict, match=r"2 dari 3 siswa aktif .* Budi \(2\), Cici \(3\)"):
        imports.start_apply(one, one.plan, accept=False)
    assert one.status == "ready"


@pytest.mark.parametrize("changed", [{"nama": "Lain"}, {"active": False}, {"synced_at": utcnow}])
def test_an_import_cannot_be_undone_if_its_students_changed_afterwards(
    inside: Flask, changed: dict[str, object]
) -> None:
    one = applied(FIRST)
    values = {name: value() if callable(value) else value for name, value in changed.items()}
    with transaction() as session:
        session.execute(update(Siswa).where(Siswa.idperson == "2").values(**values))
    before = stored()
    assert undone(one).status == "applied"
    assert (
        one.error == "Tidak bisa dibatalkan: 1 siswa sudah berubah lagi sejak impor ini (Budi (2))."
    )
    assert stored() == before
    with transaction() as session:
        names = {"nama": "Budi", "active": True, "synced_at": None}
        session.execute(update(Siswa).where(Siswa.idperson == "2").values(**names))
    assert undone(one).status == "undone"
    assert stored() == {}


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("redemption", ["commits", "waits"])
def test_a_code_redeemed_during_an_undo_links_no_deleted_student(
    inside: Flask, people: dict[str, int], redemption: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The redemption runs after the undo has locked the students: before the undo voids the codes,
    or after it has read the links."""
    one = applied("idperson,nama\n1,Ani\n")
    code = links.create_code(db.session.scalars(select(Siswa)).one(), BY)
    jobs = list[Future[str]]()
    with ThreadPoolExecutor(1) as pool:
        students, linked_by_code = differences._students, links.linked_by_code

        def lock(session: Session, ids: list[str], *, lock: bool = False) -> Any:
            found = students(session, ids, lock=lock)
            if lock and redemption == "commits":
                jobs.append(pool.submit(redeem, inside, people["member"], code))
                wait(jobs)
            return found

        def read_links(session: Session, ids: list[str]) -> Any:
            found = linked_by_code(session, ids)
            if is_in_transaction() and redemption == "waits":
                jobs.append(pool.submit(redeem, inside, people["member"], code))
                wait(jobs, timeout=0.5)
            return found

        monkeypatch.setattr(differences, "_students", lock)
        monkeypatch.setattr(links, "linked_by_code", read_links)
        assert undone(one).status == "undone"
    [answer] = [job.result() for job in jobs]
    db.session.rollback()
    linked = db.session.scalar(select(User.idperson).where(User.id == people["member"]))
    if redemption == "commits":
        assert (answer, linked, set(stored())) == ("linked", "1", {"1"})
    else:
        assert (answer, linked, set(stored())) == ("wrong_code", None, set())


def redeem(app: Flask, user_id: int, code: str) -> str:
    """Redeem the code of a student; return what became of it."""
    with app.app_context():
        try:
            links.redeem(db.session.get_one(User, user_id), code)
        except Forbidden:
            return "wrong_code"
        return "linked"


def test_only_the_last_import_can_be_undone(inside: Flask) -> None:
    first, second = applied(FIRST), applied("idperson,nama\n1,Ani Wijaya\n")
    with pytest.raises(Conflict, match="Hanya impor terakhir"):
        imports.start_undo(first, BY)
    inside.config["MYUKM_LANG"] = "en"
    undone(second)
    inside.config["MYUKM_LANG"] = "id"
    assert (first.lang, second.lang) == ("id", "en"), "errors are in the last person's language"
    undone(first)
    assert stored() == {}


@every_database
def test_an_import_without_changes_does_not_prevent_undoing_the_previous_one(inside: Flask) -> None:
    first, same = applied(FIRST), applied(FIRST)
    assert imports.last_applied() == first
    late = planned("idperson,nama\n1,Ani Wijaya\n")
    with transaction() as session:
        session.execute(update(Siswa).where(Siswa.idperson == "1").values(nama="Anita"))
    imports.start_apply(late, late.plan, accept=False)
    work.advance(late.id)
    assert (same.total, late.total, late.skipped) == (0, 1, 1)
    assert imports.last_applied() == first
    with transaction() as session:
        session.execute(update(Siswa).where(Siswa.idperson == "1").values(nama="Ani"))
    undone(first)
    assert stored() == {}


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "BATCH", 1)


@every_database
@pytest.mark.parametrize("undo", [False, True])
def test_another_job_continues_the_import_of_a_dead_job(
    inside: Flask, small_batches: None, undo: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied("idperson,nama,phone\n1,Lama,0\n")
    before = stored()
    one = applied(FIRST) if undo else planned(FIRST)
    names = {"1": "Ani", "2": "Budi", "3": "Cici"}
    after = {number: (name, f"08{number}", True) for number, name in names.items()}
    if undo:
        imports.start_undo(one, BY)
    else:
        imports.start_apply(one, one.plan, accept=False)
    dead = claim.take(one.id)
    assert dead
    applying._step(dead, undo=undo)
    assert stored() not in (before, after)
    assert claim.take(one.id) is None
    claim.release(*dead, one.heartbeat - 1)
    assert claim.take(one.id) is None, "a holder with a newer heartbeat is alive"
    claim.release(*dead, one.heartbeat)
    work.advance(one.id)
    with pytest.raises(claim.ClaimLost):
        applying._step(dead, undo=undo)
    assert stored() == (before if undo else after)
    assert one.status == ("undone" if undo else "applied")


def test_a_student_who_gets_payments_during_an_undo_stays_and_is_reported(
    app: Flask, small_batches: None, client_as: Callable[[str], FlaskClient]
) -> None:
    with app.app_context():
        one = applied(FIRST)
        imports.start_undo(one, BY)
        first_job = claim.take(one.id)
        assert first_job
        applying._step(first_job, undo=True)
        with transaction() as session:
            session.execute(update(Siswa).where(Siswa.idperson == "1").values(synced_at=utcnow()))
        claim.release(*first_job, one.heartbeat)
        work.advance(one.id)
        assert (one.status, set(stored()), one.skipped) == ("undone", {"1"}, 1)
        assert [change.idperson for change in preview.changes(one, "skipped").items] == ["1"]
        row = db.session.scalars(select(Activity).order_by(Activity.id.desc())).first()
        assert row
        assert row.subject == "CSV: 3 siswa, +3 ~0 -0, !1"
        path = f"/admin/impor-siswa/{one.id}"
    page = client_as("admin").get(path).text
    assert "1 siswa dilewati." in page
    assert "berubah setelah pratinjau atau setelah impor" in page


def test_a_job_that_lost_its_claim_cannot_delete_the_next_jobs_changes(inside: Flask) -> None:
    one = imports.upload(BY, io.BytesIO(FIRST.encode()), "siswa.csv", whole=False)
    dead = claim.take(one.id)
    assert dead
    claim.release(*dead, one.heartbeat)
    work.advance(one.id)
    imports.start_apply(one, one.plan, accept=True)
    with pytest.raises(claim.ClaimLost), io.BytesIO(FIRST.encode()) as file:
        planning.plan(dead, Reader(file_source.rows(file)))
    work.advance(one.id)
    assert len(stored()) == 3


def test_the_watchdog_releases_dead_claims_and_enqueues_missing_jobs(
    inside: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "UNSERVED_SECONDS", 0.0)
    queued = list[int]()
    monkeypatch.setattr("myukm.domain.roster.queueing.queue", queued.append)
    one = planned(FIRST)
    imports.start_apply(one, one.plan, accept=False)
    dead, watch = claim.take(one.id), watchdog.of_imports(0.0, 0.0)
    assert dead
    watch.watch()
    db.session.refresh(one)
    assert (one.holder, one.tries) == (None, 1)
    queued.clear()
    watch.watch()
    assert queued == [one.id]
    work.advance(one.id)
    assert len(stored()) == 3


def test_an_import_fails_after_its_file_killed_several_jobs(
    inside: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "UNSERVED_SECONDS", 0.0)
    one = imports.upload(BY, io.BytesIO(FIRST.encode()), "x.csv", whole=False)
    watch = watchdog.of_imports(0.0)
    for _time in range(watchdog.MAX_TRIES):
        assert claim.take(one.id)
        watch.watch()
    watch.watch()
    db.session.refresh(one)
    assert one.status == "failed"
    assert "tidak selesai dibaca" in (one.error or "")


@every_database
def test_the_roster_of_the_api_is_previewed_and_applied(
    settings: dict[str, str], simulator: Simulator, request: pytest.FixtureRequest
) -> None:
    settings["PEMBAYARAN_API_URL"] = simulator.url
    app: Flask = request.getfixturevalue("app")
    with app.app_context():
        one = imports.request_api(BY)
        work.advance(one.id)
        assert (one.status, one.source, one.added) == ("ready", "API", 200)
        simulator.stop()
        imports.start_apply(one, one.plan, accept=False)
        work.advance(one.id)
        assert len(stored()) == 200
        failed = imports.request_api(BY)
        work.advance(failed.id)
        assert failed.status == "failed"
        assert "tidak bisa dihubungi" in (failed.error or "")


def test_a_fraction_in_a_text_field_of_the_api_leaves_out_its_student(
    inside: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = [
        {"idperson": "1", "nama": "Ani", "kelas_formal": Decimal("7.5")},
        {"idperson": "2", "nama": "Budi", "kelas_formal": 7},
    ]
    monkeypatch.setattr(api_source, "fetch", lambda: answer)
    one = imports.request_api(BY)
    work.advance(one.id)
    assert (one.status, one.added) == ("ready", 1)
    (wrong,) = preview.changes(one, "wrong").items
    assert (wrong.idperson, wrong.reason) == ("1", "kelas_formal bukan teks.")


def test_the_roster_of_the_api_may_be_larger_than_a_file(
    inside: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "MAX_BYTES", 10)
    monkeypatch.setattr(api_source, "fetch", lambda: [{"idperson": "1", "nama": "Ani"}])
    one = imports.request_api(BY)
    work.advance(one.id)
    assert (one.status, one.added, one.error) == ("ready", 1, None)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TypeError("no such type"), "failed"),
        (OperationalError("SELECT", None, Exception("no such table")), "failed"),
        (OperationalError("SELECT", None, LockNotAvailable("time-out")), "reading"),
        (JobTimeoutException("too long"), "reading"),
    ],
)
def test_an_error_in_the_job_fails_the_import_unless_a_retry_may_succeed(
    inside: Flask, monkeypatch: pytest.MonkeyPatch, error: Exception, status: str
) -> None:
    def broken() -> None:
        raise error

    monkeypatch.setattr(api_source, "fetch", broken)
    one = imports.request_api(BY)
    with pytest.raises(type(error)):
        work.advance(one.id)
    db.session.refresh(one)
    assert (one.status, one.holder is None) == (status, status == "failed")
    assert bool(one.error) == (status == "failed")


def test_retention_deletes_old_previews_and_the_changes_of_old_imports(inside: Flask) -> None:
    done, ready = applied(FIRST), planned(FIRST)
    old = utcnow() - timedelta(days=31)
    with transaction() as session:
        session.execute(update(RosterImport).values(created_at=old, settled_at=old))
    while retention.prune():
        pass
    assert list(db.session.scalars(select(RosterImport.id))) == [done.id]
    assert db.session.scalar(select(func.count()).select_from(RosterChange)) == 0
    assert imports.last_applied() is None
    assert ready.id != done.id


def test_a_file_that_waited_for_days_is_read_and_its_preview_kept_for_a_day(inside: Flask) -> None:
    one = imports.upload(BY, io.BytesIO(FIRST.encode()), "siswa.csv", whole=False)
    with transaction() as session:
        session.execute(update(RosterImport).values(created_at=utcnow() - timedelta(days=3)))
    assert not retention.prune()
    work.advance(one.id)
    assert not retention.prune()
    assert db.session.get_one(RosterImport, one.id).status == ImportStatus.READY


def test_an_import_cannot_be_undone_once_retention_may_delete_its_changes(inside: Flask) -> None:
    one = applied(FIRST)
    with transaction() as session:
        session.execute(update(RosterImport).values(settled_at=utcnow() - timedelta(days=30)))
    assert imports.last_applied() is None
    with pytest.raises(Conflict, match="selama perubahannya masih disimpan"):
        imports.start_undo(one, BY)


@every_database
def test_changes_that_a_killed_process_left_behind_are_deleted(
    inside: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, one = applied("idperson,nama\n9,Zaki\n"), planned(FIRST)
    with monkeypatch.context() as killed:
        killed.setattr(planning, "clear", lambda _import_id: False)
        imports.withdraw(one.id)
    while retention.prune():
        pass
    assert set(db.session.scalars(select(RosterChange.import_id))) == {other.id}


def test_every_kind_of_change_can_be_shown(inside: Flask) -> None:
    one = planned(FIRST)
    assert set(preview.counts(one)) == set(ChangeKind)
    assert preview.first_kind(one) == "new"


def test_a_command_that_lost_its_claim_is_refused(
    inside: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "siswa.csv"
    path.write_text(FIRST)

    def lose(step: str, _done: int, _total: int) -> None:
        with transaction() as session:
            session.execute(update(RosterImport).values(holder="other"))

    with pytest.raises(Conflict, match="terhenti terlalu lama"):
        importing.from_file(path, lose)
    assert stored() == {}
