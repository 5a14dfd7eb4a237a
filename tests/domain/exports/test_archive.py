"""A UKM as a ZIP archive: its contents, who may download it, and jobs that are killed meanwhile."""

import csv
import io
import json
import random
import re
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select, text, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import account_deletion
from myukm.domain.actor import Actor
from myukm.domain.chat import messages
from myukm.domain.exports import archive, archive_entries, requests, retention, store, writing
from myukm.errors import Forbidden
from myukm.extensions import db
from myukm.models import ChatFile, ChatMessage, Export, ExportPart, Membership, User
from myukm.models.export import OPEN_EXPORTS, ExportState
from myukm.queues.enqueue import enqueue
from tests.conftest import every_database
from tests.support.files import PDF, upload
from tests.support.people import PASSWORD, UKM
from tests.support.workers import waiting

ClientAs = Callable[[str], FlaskClient]
People = dict[str, int]
EVIL = '<script>alert(1)</script>\n=HYPERLINK("http://x")'


@pytest.fixture
def talk(app: Flask, people: People, client_as: ClientAs) -> Flask:
    """`member` is the admin of a UKM with four messages, one of them deleted; the other three have
    two files."""
    with app.app_context():
        with transaction() as session:
            mine = Membership.user_id == people["member"]
            session.execute(update(Membership).where(mine).values(is_admin=True))
            session.get_one(User, people["friend"]).name = "=1+1 \u202eFarhan"
        uploads = [
            upload(
                client_as("friend"),
                PDF + random.Random(n).randbytes(30_000),
                "nota.pdf",
                "",
                client_id=f"f{n}",
            ).json
            for n in range(3)
        ]
        friend, member = (db.session.get_one(User, people[who]) for who in ("friend", "member"))
        first, _new = messages.post(friend, UKM, "Halo semua", "m0", files=[uploads[0]["id"]])
        messages.post(member, UKM, EVIL, "m1", reply_to=first.id)
        gone, _new = messages.post(friend, UKM, "rahasia", "m2", files=[uploads[1]["id"]])
        messages.post(friend, UKM, "", "m3", files=[uploads[2]["id"]])
        messages.delete(people["friend"], UKM, gone.id)
    return app


@pytest.fixture
def inside(talk: Flask) -> Iterator[None]:
    with talk.app_context():
        yield


def requested(people: People) -> Export:
    return requests.request_archive(Actor("Mega", people["member"]), UKM)


def written(export: Export) -> Export:
    """Run the export's jobs one after another until it has ended."""
    while export.state in OPEN_EXPORTS:
        writing.write(export.id)
        db.session.refresh(export)
    return export


def opened(export: Export) -> zipfile.ZipFile:
    found = zipfile.ZipFile(io.BytesIO(b"".join(requests.read(written(export)))))
    assert found.testzip() is None
    return found


@every_database
def test_an_archive_has_messages_files_and_members_but_nothing_deleted(
    inside: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "PART_BYTES", 1000)
    monkeypatch.setattr(archive_entries, "PER_PAGE", 2)
    monkeypatch.setattr(archive, "PORTION_SECONDS", 0.0)  # each portion is a job of its own
    export = requested(people)
    found = opened(export)
    assert (export.state, export.total, export.done) == (ExportState.READY, 5, 5)
    assert export.turn > 4
    first, last = db.session.scalars(select(ChatFile).order_by(ChatFile.id)).all()
    files = [f"files/{first.id}-nota.pdf", f"files/{last.id}-nota.pdf"]
    pages = [f"messages/0000{n}.{end}" for n in (1, 2) for end in ("html", "json")]
    assert found.namelist() == [*files, *pages, "members.csv", "style.css", "index.html"]
    assert found.read(files[1]) == PDF + random.Random(2).randbytes(30_000)
    kept = [one for page in pages[1::2] for one in json.loads(found.read(page))]
    assert [(one["message"], one["files"]) for one in kept] == [
        ("Halo semua", files[:1]),
        (EVIL, []),
        ("", files[1:]),
    ]
    assert kept[1]["reply_to"] == kept[0]["id"]
    assert all(b"rahasia" not in found.read(name) for name in found.namelist())


@pytest.mark.parametrize("per_page", [2, 3, 1000], ids=["more", "just", "few"])
def test_pages_have_no_scripts_and_link_only_to_entries_of_the_archive(
    inside: None, people: People, monkeypatch: pytest.MonkeyPatch, per_page: int
) -> None:
    monkeypatch.setattr(archive_entries, "PER_PAGE", per_page)
    found = opened(requested(people))
    names = set(found.namelist())
    for page in (name for name in names if name.endswith(".html")):
        html = found.read(page).decode()
        assert "<script" not in html
        for link in re.findall(r'(?:href|src)="([^"]+)"', html):
            target = link.removeprefix("../") if "/" in page else link
            assert target in names or f"messages/{target}" in names, link
    html = found.read("messages/00001.html").decode()
    assert "&lt;script&gt;" in html
    assert "<blockquote>" in html
    rows = list(csv.DictReader(io.StringIO(found.read("members.csv").decode("utf-8-sig"))))
    assert [row["name"] for row in rows] == ["Mega Lestari", "'=1+1 \u202eFarhan"]
    assert [row["is_admin"] for row in rows] == ["true", "false"]


def test_a_reply_to_a_photo_quotes_it_as_a_photo(inside: None, people: People) -> None:
    member = db.session.get_one(User, people["member"])
    photo = db.session.scalars(select(ChatMessage.id).order_by(ChatMessage.id.desc())).first()
    messages.post(member, UKM, "Bagus", "m4", reply_to=photo)
    html = opened(requested(people)).read("messages/00001.html").decode()
    assert '<span dir="auto">Foto atau berkas</span></blockquote>' in html


def test_the_archive_starts_anew_after_its_job_was_killed(
    inside: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PORTION_SECONDS", 0.0)
    export = requested(people)
    writing.write(export.id)
    held = store.claim(export.id)
    assert held
    assert held.place

    def die(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        archive.write_portion(held, die)
    outdated = db.session.get_one(Export, held.id).heartbeat  # as read before the portion
    store.expire_holder(export.id, held.holder, outdated)
    db.session.expire_all()
    assert export.losses == 0
    heartbeat = db.session.scalar(select(Export.heartbeat).where(Export.id == export.id)) or 0
    store.expire_holder(export.id, held.holder, heartbeat)
    db.session.refresh(export)
    assert (export.losses, export.turn, export.place, export.size) == (1, 0, None, 0)
    assert len(opened(export).namelist()) == 7


def test_a_message_deleted_between_two_portions_is_not_in_the_archive(
    inside: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PORTION_SECONDS", 0.0)
    export = requested(people)
    for _turn in range(4):
        writing.write(export.id)
    first = db.session.scalar(select(ChatFile.message_id).order_by(ChatFile.id).limit(1))
    messages.delete(people["friend"], UKM, first or 0)
    found = opened(export)
    assert export.losses == 1
    assert len([name for name in found.namelist() if name.startswith("files/")]) == 1
    assert b"Halo semua" not in found.read("messages/00001.json")


@pytest.mark.parametrize("portions", [1, 3], ids=["files", "messages"])
def test_an_archive_ends_with_the_last_message_at_its_beginning(
    inside: None,
    people: People,
    client_as: ClientAs,
    monkeypatch: pytest.MonkeyPatch,
    portions: int,
) -> None:
    """So a file that is sent while the archive is written is not missing beside its message."""
    monkeypatch.setattr(archive, "PORTION_SECONDS", 0.0)
    before = upload(client_as("friend"), PDF + b"before", "late.pdf", "", client_id="f9").json
    export = requested(people)
    for _portion in range(portions):
        writing.write(export.id)
    friend = db.session.get_one(User, people["friend"])
    after = upload(client_as("friend"), PDF + b"after", "late.pdf", "", client_id="f10").json
    messages.post(friend, UKM, "terlambat", "m9", files=[before["id"], after["id"]])
    gone, _new = messages.post(friend, UKM, "dihapus", "m10")
    messages.delete(people["friend"], UKM, gone.id)
    found = opened(export)
    assert [name for name in found.namelist() if "late" in name] == []
    kept = [one["message"] for one in json.loads(found.read("messages/00001.json"))]
    assert kept == ["Halo semua", EVIL, ""]
    assert export.losses == 0, "begun anew for a message that is not in the archive"


def test_an_archive_of_an_older_version_is_begun_anew(
    inside: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PORTION_SECONDS", 0.0)
    export = requested(people)
    writing.write(export.id)
    with transaction():
        place = json.loads(export.place or "")
        del place["until"]
        export.place = json.dumps(place)
    assert len(opened(export).namelist()) == 7
    assert export.losses == 1


@every_database
def test_a_deletion_that_is_not_committed_when_the_archive_begins_is_seen(
    inside: None, talk: Flask, people: People
) -> None:
    def write(export_id: int) -> None:
        with talk.app_context():
            writing.write(export_id)

    export = requested(people)
    first = db.session.scalar(select(ChatFile.message_id).order_by(ChatFile.id).limit(1))
    with ThreadPoolExecutor(1) as pool:
        with transaction():
            messages.delete(people["friend"], UKM, first or 0)
            job = pool.submit(write, export.id)
            wait([job], timeout=0.5)
        job.result()
    db.session.refresh(export)
    assert b"Halo semua" not in opened(export).read("messages/00001.json")


def test_files_of_an_account_deleted_between_two_portions_are_not_in_the_archive(
    inside: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file's message stays in the archive, because it has a text. The transaction of the
    deletion began before the archive, and was committed later."""
    monkeypatch.setattr(archive, "PORTION_SECONDS", 0.0)
    without_text = db.session.scalars(select(ChatMessage.id).where(ChatMessage.body == "")).all()
    for message_id in without_text:
        messages.delete(people["friend"], UKM, message_id)
    export = requested(people)
    for _turn in range(3):
        writing.write(export.id)
    assert export.done == 3  # a file and two messages
    account_deletion.delete_account(db.session.get_one(User, people["friend"]), PASSWORD)
    with transaction() as session:
        before = utcnow() - timedelta(hours=1)
        gone = update(User).where(User.id == people["friend"])
        session.execute(gone.values(deleted_at=before))
    found = opened(export)
    assert [name for name in found.namelist() if name.startswith("files/")] == []
    assert "Farhan" not in found.read("messages/00001.json").decode()


def test_the_next_portion_is_queued_behind_other_jobs(
    inside: None, people: People, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PORTION_SECONDS", 0.0)
    export = requested(people)
    ping = enqueue("myukm.jobs.upkeep.ping")
    writing.write(export.id)
    queued = waiting(valkey, "default")
    assert queued.index(f"export-{export.id}-0-1") > queued.index(str(ping))


def change_membership(people: People, **values: Any) -> None:
    with transaction() as session:
        mine = Membership.user_id == people["member"]
        session.execute(update(Membership).where(mine).values(**values))


def test_a_former_admin_of_the_ukm_gets_no_archive(
    inside: None, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready, unfinished = written(requested(people)), requested(people)
    assert unfinished.id != ready.id
    chunks = requests.read(ready)
    with monkeypatch.context() as patched:
        patched.setattr(store, "PART_BYTES", 100)  # so that more follows after the first part
        assert next(chunks)
        change_membership(people, is_admin=False)
        with pytest.raises(Forbidden):
            next(chunks)
    assert written(unfinished).state == ExportState.FAILED
    assert "pengurus" in (unfinished.reason or "")
    with pytest.raises(Forbidden):
        requested(people)


def test_a_full_disk_ends_the_export_with_a_reason(inside: None, people: People) -> None:
    export = requested(people)
    pages = db.session.scalar(text("PRAGMA page_count")) or 0
    db.session.commit()

    def limit_database_size(driver: Any, *_: Any) -> None:
        driver.execute(f"PRAGMA max_page_count = {pages + 1}")

    event.listen(db.engine, "checkout", limit_database_size)
    writing.write(export.id)
    db.session.refresh(export)
    assert (export.state, export.holder) == (ExportState.FAILED, None)
    assert "ruang" in (export.reason or "")
    while retention.prune():
        pass
    assert db.session.scalar(select(func.count()).select_from(ExportPart)) == 0


PATH = f"/ukm/{UKM}/export"


def test_a_script_requests_polls_and_downloads_the_archive(
    talk: Flask, client_as: ClientAs
) -> None:
    mega = client_as("member")
    answer = mega.post(PATH, json={})
    sent = answer.get_json()
    assert (answer.status_code, sent["kind"], sent["total"]) == (202, "zip", 5)
    assert answer.headers["Location"] == sent["url"] == f"{PATH}/{sent['id']}"
    assert mega.post(PATH, json={}).get_json()["id"] == sent["id"], "the same export until it ends"
    assert mega.get(sent["url"]).status_code == 202
    with talk.app_context():
        writing.write(sent["id"])
    with mega.get(sent["url"]) as file:
        assert (file.status_code, file.mimetype) == (200, "application/zip")
        assert 'filename="robotik.zip"' in file.headers["Content-Disposition"]
        assert zipfile.ZipFile(io.BytesIO(file.data)).namelist()[-1] == "index.html"
    assert mega.get(f"/admin/tunggakan/berkas/{sent['id']}").status_code == 403
    log = mega.get(f"/ukm/{UKM}/log", headers={"Accept": "application/json"}).get_json()["log"]
    assert [line["action"] for line in log] == ["exported"]
    assert mega.delete(sent["url"]).status_code == 204
    assert mega.get(sent["url"]).status_code == 404


@pytest.mark.parametrize(
    ("who", "status"),
    [("friend", 403), ("outsider", 404), ("admin", 404), ("operator", 404), ("nobody", 401)],
)
def test_only_admins_of_the_ukm_reach_its_exports(
    talk: Flask, people: People, client_as: ClientAs, who: str, status: int
) -> None:
    with talk.app_context():
        made = written(requested(people))
    client = client_as(who)
    for method, path in (
        ("GET", PATH),
        ("POST", PATH),
        ("GET", f"{PATH}/{made.id}"),
        ("DELETE", f"{PATH}/{made.id}"),
        ("POST", f"{PATH}/{made.id}/hapus"),
    ):
        json = {"Accept": "application/json"}
        assert client.open(path, method=method, headers=json).status_code == status, path
    with talk.app_context():
        assert db.session.get_one(Export, made.id).state == ExportState.READY


def test_the_page_shows_an_archive_until_it_is_deleted(
    talk: Flask, people: People, client_as: ClientAs
) -> None:
    mega, html = client_as("member"), {"Accept": "text/html,*/*;q=0.8"}
    assert f'href="{PATH}"' in mega.get(f"/ukm/{UKM}/manage").text
    assert "Belum ada berkas" in mega.get(PATH, headers=html).text
    answer = mega.post(PATH, headers=html)
    assert (answer.status_code, answer.headers["Location"]) == (303, PATH)
    assert "Menunggu giliran" in mega.get(PATH, headers=html).text
    with talk.app_context():
        [export] = requests.of_account(people["member"], ("zip",), UKM)
        written(export)
    assert "Unduh ZIP" in mega.get(PATH, headers=html).text
    assert mega.post(f"{PATH}/{export.id}/hapus", headers=html).status_code == 303
    assert "Belum ada berkas" in mega.get(PATH, headers=html).text
