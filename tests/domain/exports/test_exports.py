"""Files that a job writes: complete after a kill, for one account only, deleted after a day."""

import csv
import io
import json
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import redis
import requests as http
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale
from rq.job import Job
from sqlalchemy import func, insert, select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import account_deletion
from myukm.domain.accounts import data_export
from myukm.domain.exports import requests, retention, store, watchdog, writing
from myukm.domain.siswa import listing_files
from myukm.domain.siswa.filters import parse
from myukm.errors import NotFound, TooFast
from myukm.extensions import db
from myukm.extensions import valkey as valkey_client
from myukm.models import Export, ExportPart, Siswa, Tagihan, User
from myukm.models.export import ExportState
from tests.conftest import every_database
from tests.support.people import PASSWORD
from tests.support.programs import WebServer
from tests.support.sse import StreamReader
from tests.support.workers import job_process, kill, pid_of

COUNT = 60


@pytest.fixture
def campus(app: Flask, people: dict[str, int]) -> Flask:
    with app.app_context(), transaction() as session:
        owing = {"status": "tunggakan", "lunas": False, "tunggakan": 5, "lebih_bayar": 0}
        rows = [{"id": n, "idperson": f"S{n:05}", "nama": f"Nama {n}"} for n in range(1, COUNT + 1)]
        session.execute(insert(Siswa), [row | owing for row in rows])
        bill = {"period_id": "20262027", "category": "SPP", "kelas": "", "item": "Juli"}
        amounts = {"position": 0, "billed": 500, "paid": 0, "remaining": 500}
        session.execute(insert(Tagihan), [{"siswa_id": r["id"], **bill, **amounts} for r in rows])
    return app


@pytest.fixture
def asked(campus: Flask, people: dict[str, int]) -> Iterator[Export]:
    with campus.app_context():
        yield requests.request(people["bendahara"], "csv", "", COUNT)


def content(export: Export) -> list[str]:
    """Return the ids of the students in a file."""
    fresh = requests.find(export.user_id, export.id)
    text = b"".join(requests.read(fresh)).decode("utf-8-sig")
    return [row["idperson"] for row in csv.DictReader(io.StringIO(text))]


def prune_all() -> None:
    while retention.prune():
        pass


EVERYBODY = [f"S{n:05}" for n in range(1, COUNT + 1)]


def is_queued(job_id: str) -> bool:
    return valkey_client().hget(Job.key_for(job_id), "status") == b"queued"


@every_database
def test_a_job_writes_the_file_in_parts(
    asked: Export, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PART_BYTES", 100)
    assert (asked.state, asked.job_id) == (ExportState.QUEUED, f"export-{asked.id}-0")
    assert is_queued(asked.job_id)
    writing.write(asked.id)
    db.session.refresh(asked)
    assert (asked.state, asked.done, asked.holder) == (ExportState.READY, COUNT, None)
    assert sorted(content(asked)) == EVERYBODY
    assert db.session.scalar(select(func.count()).select_from(ExportPart)) == -(-asked.size // 100)
    writing.write(asked.id)  # a second job of the same export has nothing to do
    assert sorted(content(asked)) == EVERYBODY


def test_the_same_request_returns_the_open_export_and_a_fourth_is_refused(
    campus: Flask, people: dict[str, int]
) -> None:
    with campus.app_context():
        me = people["bendahara"]
        filters = parse({"unit": ["MTs", "MA"], "min": ["5"]})
        query = urlencode(filters.query())
        first = requests.request(me, "csv", query, COUNT)
        assert requests.request(me, "csv", query, COUNT).id == first.id
        assert requests.filters_of(first) == filters
        for kind, other in (("xlsx", query), ("csv", "")):
            assert requests.request(me, kind, other, COUNT).id != first.id
        with pytest.raises(TooFast):
            requests.request(me, "xlsx", "", COUNT)
        assert requests.request(people["admin"], "xlsx", "", COUNT)


def test_only_the_newest_files_of_an_account_are_stored(asked: Export) -> None:
    for _ in range(requests.MAX_FILES + 2):
        writing.write(requests.request(asked.user_id, "csv", "", COUNT).id)
    assert len(requests.of_account(asked.user_id)) == requests.MAX_FILES
    for status in ("LUNAS", "NUNGGAK"):  # two exports that no job has written yet
        requests.request(asked.user_id, "csv", f"status={status}", COUNT)
    assert len(requests.of_account(asked.user_id)) == requests.MAX_FILES


def test_a_holder_that_lost_its_claim_cannot_save(asked: Export) -> None:
    first = store.claim(asked.id)
    assert first
    assert store.claim(asked.id) is None
    with transaction() as session:
        store.raise_heartbeat(session, first)
    assert first.holder
    store.expire_holder(asked.id, first.holder, 0)  # no effect: the heartbeat is 1 now
    assert store.claim(asked.id) is None
    holder = first.holder
    store.expire_holder(asked.id, holder, 1)
    assert is_queued(f"export-{asked.id}-1")
    with pytest.raises(store.HolderLostError):
        store.save(first, io.BytesIO(b"too late"))
    writing.write(asked.id)
    assert sorted(content(asked)) == EVERYBODY


@pytest.mark.parametrize(("lang", "reason"), [("id", "tiga kali"), ("en", "three times")])
def test_an_export_fails_after_three_dead_holders_with_a_reason_in_its_language(
    campus: Flask, people: dict[str, int], lang: str, reason: str
) -> None:
    with campus.app_context():
        with force_locale(lang):
            export = requests.request(people["bendahara"], "csv", "", COUNT)
        for _loss in range(store.MAX_LOSSES):
            held = store.claim(export.id)
            assert held
            store.expire_holder(export.id, held.holder, held.heartbeat)
        db.session.refresh(export)
        assert export.state == ExportState.FAILED
        assert reason in (export.reason or "")
        assert store.claim(export.id) is None


def test_deleting_an_export_ends_its_job(asked: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    def delete_meanwhile(*_: Any) -> None:
        requests.remove(asked)

    monkeypatch.setitem(writing.WRITERS, "csv", delete_meanwhile)
    writing.write(asked.id)
    assert requests.of_account(asked.user_id) == []
    prune_all()
    assert db.session.scalar(select(func.count()).select_from(Export)) == 0


def test_the_watchdog_enqueues_an_export_without_a_job(
    asked: Export, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    valkey.flushall()
    watchdog.of_exports(0.0).watch()
    assert is_queued(asked.job_id)


def test_an_export_is_deleted_a_day_after_its_end(
    asked: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PART_BYTES", 100)
    writing.write(asked.id)
    assert not retention.prune()
    with transaction() as session:
        day_old = utcnow() - timedelta(days=1, seconds=1)
        session.execute(update(Export).values(finished_at=day_old))
    assert retention.prune(), "more parts are left"
    with pytest.raises(NotFound):
        requests.find(asked.user_id, asked.id)
    prune_all()
    assert db.session.scalar(select(func.count()).select_from(ExportPart)) == 0


def test_the_data_export_of_an_account_lists_its_files(asked: Export) -> None:
    data = json.loads("".join(data_export.export(asked.user_id)))
    assert [(one["kind"], one["query"]) for one in data["exports"]] == [("csv", "")]


def test_deleting_an_account_deletes_its_files(asked: Export) -> None:
    writing.write(asked.id)
    account_deletion.delete_account(db.session.get_one(User, asked.user_id), PASSWORD)
    prune_all()
    assert db.session.scalar(select(func.count()).select_from(ExportPart)) == 0


ClientAs = Callable[[str], FlaskClient]
PATH = "/admin/tunggakan"


@pytest.fixture
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_files, "MAX_STUDENTS", COUNT - 1)


@pytest.mark.usefixtures("campus", "low_limit")
def test_a_script_gets_the_address_of_the_future_file(client_as: ClientAs) -> None:
    client = client_as("bendahara")
    answer = client.get(f"{PATH}.csv")
    sent = answer.get_json()
    assert (answer.status_code, sent["job_id"]) == (202, f"export-{sent['id']}-0")
    assert answer.headers["Location"] == sent["url"]
    assert client.get(sent["url"]).status_code == 202
    with client.application.app_context():
        writing.write(sent["id"])
    with client.get(sent["url"]) as file:
        assert (file.status_code, file.mimetype) == (200, "text/csv")
        assert file.get_data(as_text=True).count("\n") == COUNT + 1
        assert 'filename="tunggakan.csv"' in file.headers["Content-Disposition"]
    for who, status in (("admin", 404), ("operator", 403), ("member", 403), ("nobody", 302)):
        assert client_as(who).get(sent["url"]).status_code == status
    assert client_as("admin").delete(sent["url"]).status_code == 404
    assert client.delete(sent["url"]).status_code == 204
    assert client.get(sent["url"]).status_code == 404


@pytest.mark.usefixtures("campus", "low_limit")
def test_a_browser_is_redirected_to_its_files(client_as: ClientAs) -> None:
    client, html = client_as("bendahara"), {"Accept": "text/html,*/*;q=0.8"}
    page = client.get(PATH, headers=html).text
    assert page.count('.xlsx?"') == 1
    assert "download" not in page.partition('.xlsx?"')[2].partition(">")[0]
    answer = client.get(f"{PATH}.xlsx?unit=(kosong)", headers=html)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PATH}/berkas")
    page = client.get(f"{PATH}/berkas", headers=html).text
    assert "Menunggu giliran" in page
    assert "Unit: <bdi>(kosong)</bdi>" in page
    assert "Belum ada berkas" in client_as("admin").get(f"{PATH}/berkas", headers=html).text
    assert client_as("operator").get(f"{PATH}/berkas", headers=html).status_code == 403
    assert client.post(f"{PATH}/berkas/1/hapus", headers=html).status_code == 303
    assert "Belum ada berkas" in client.get(f"{PATH}/berkas", headers=html).text


@pytest.mark.usefixtures("campus", "low_limit")
def test_a_script_that_prefers_json_to_a_page_gets_json(client_as: ClientAs) -> None:
    client, json = client_as("bendahara"), {"Accept": "application/json, text/html;q=0.1"}
    asked_for = client.get(f"{PATH}.csv", headers=json)
    assert asked_for.status_code == 202
    assert client.get(asked_for.headers["Location"], headers=json).status_code == 202


MANY = 20_000


def test_a_killed_job_is_repeated_and_the_stream_publishes_its_end(
    campus: Flask,
    people: dict[str, int],
    web: WebServer,
    session_as: Callable[[str], http.Session],
    start: Callable[..., Any],
) -> None:
    with campus.app_context(), transaction() as session:
        row = {"status": "lunas", "lunas": True, "tunggakan": 0, "lebih_bayar": 0}
        names = ({"idperson": f"T{n:05}", "nama": f"Lain {n}"} for n in range(MANY))
        session.execute(insert(Siswa), [name | row for name in names])
    treasurer, other = session_as("bendahara"), session_as("admin")
    reader, stranger = StreamReader(web.url, treasurer), StreamReader(web.url, other)
    sent = treasurer.get(f"{web.url}{PATH}.xlsx", timeout=10).json()
    start("python", "worker.py")
    reader.wait_for(2, "export.progress")  # queued, then written
    kill(job_process(pid_of(campus, "default")), signal.SIGKILL)
    [ended] = reader.wait_for(1, "export.ended", timeout=90)
    assert (ended["state"], ended["id"], ended["job_id"]) == (
        "ready",
        sent["id"],
        f"export-{sent['id']}-1",
    )
    done = [each["done"] for each in reader.of("export.progress")]
    assert max(done) > 0
    file = treasurer.get(f"{web.url}{ended['url']}", timeout=30)
    assert len(file.content) == ended["size"] == int(file.headers["Content-Length"])
    assert file.content.startswith(b"PK")
    stranger.wait_for(1, "heartbeat")
    assert stranger.of("export.progress", "export.ended") == []
    with campus.app_context():
        assert db.session.scalar(select(func.count()).select_from(Export)) == 1
    assert not reader.ended.is_set()
    reader.close()
    stranger.close()
