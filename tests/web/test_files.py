"""Files of the chat over HTTP: upload, sending, download, deletion."""

import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.files import quotas
from myukm.extensions import db
from myukm.models import ChatFile, ChatMessage, Membership
from tests.conftest import every_database
from tests.support.files import (
    FILES,
    FORM,
    MESSAGES,
    PDF,
    form,
    left_behind,
    office,
    send,
    stored_names,
    upload,
)
from tests.support.people import PASSWORD, UKM
from tests.support.pictures import BLUE, RED, animated, bomb, half_red, half_red_with_odd_exif
from tests.support.statements import recorded_statements

ClientAs = Callable[[str], FlaskClient]


@pytest.fixture
def folder(settings: dict[str, str]) -> Path:
    return Path(settings["FILES_URL"].removeprefix("file://"))


def get(client: FlaskClient, url: str, **headers: str) -> Any:
    """Request a file and read the whole response, which closes the file."""
    return client.get(url, headers=headers, buffered=True)


def code(answer: Any) -> str:
    return answer.get_json()["error"]["code"]


@every_database
def test_a_photo_is_reencoded_sent_and_downloaded(client_as: ClientAs, folder: Path) -> None:
    member, friend = client_as("member"), client_as("friend")
    answer = upload(member, half_red(turned=6), "../../IMG 1.JPG", "image/jpeg")
    assert answer.status_code == 201, answer.text
    file = answer.get_json()
    assert (file["name"], file["type"]) == ("IMG 1.webp", "image/webp")
    assert (file["width"], file["height"]) == (300, 400), "rotated as its EXIF orientation says"
    assert get(friend, file["url"]).status_code == 404, "not sent yet"
    again = upload(member, half_red(turned=6), "../../IMG 1.JPG", "image/jpeg")
    assert (again.status_code, again.get_json()) == (200, file)
    message = send(member, [file["id"]])
    assert message.status_code == 201, message.text
    assert (message.get_json()["message"], message.get_json()["files"]) == ("", [file])
    assert friend.get(MESSAGES).get_json()["messages"][0]["files"] == [file]
    assert "<b>Mega Lestari:</b> Foto atau berkas</p>" in friend.get("/ukm").text
    whole, small = get(friend, file["url"]), get(friend, file["thumbnail"]["url"])
    assert (whole.mimetype, small.mimetype) == ("image/webp", "image/webp")
    assert len(whole.data) == file["size"]
    picture = Image.open(BytesIO(whole.data))
    assert (picture.size, dict(picture.getexif())) == ((300, 400), {})
    top, bottom = picture.getpixel((150, 50)), picture.getpixel((150, 350))
    assert near(top, RED)
    assert near(bottom, BLUE)
    assert b"rahasia" not in whole.data
    assert left_behind(folder) == []


def test_a_picture_with_odd_metadata_is_still_rotated(client_as: ClientAs) -> None:
    answer = upload(client_as("member"), half_red_with_odd_exif(), "a.jpg", "image/jpeg")
    assert answer.status_code == 201, answer.text
    assert (answer.get_json()["width"], answer.get_json()["height"]) == (300, 400)


def near(pixel: Any, colour: tuple[int, int, int]) -> bool:
    return all(abs(got - wanted) < 12 for got, wanted in zip(pixel, colour, strict=True))


def test_a_document_is_served_as_a_download_only(client_as: ClientAs) -> None:
    member = client_as("member")
    evil = PDF + b"<script>alert(1)</script>"
    file = upload(member, evil, "Notulen 1 \u202efdp.pdf", "text/html").get_json()
    assert (file["name"], file["type"]) == ("Notulen 1 fdp.pdf", "application/pdf")
    assert (file["width"], file["height"], file["thumbnail"]) == (None, None, None)
    answer = get(member, file["url"])
    assert answer.data == evil
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="Notulen 1 fdp')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "private" in answer.headers["Cache-Control"]
    assert member.get(f"{file['url']}/thumbnail").status_code == 404


@pytest.mark.parametrize(
    ("data", "name", "kind", "problem"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "image/svg+xml", "file_type"),
        (b"<svg/>", "a.png", "image/png", "file_type"),
        (b"<html><script>1</script>", "a.jpg", "image/jpeg", "file_type"),
        (b"<html>", "a.html", "text/html", "file_type"),
        (b"GIF89a/*<html>", "a.gif", "image/gif", "file_type"),
        (half_red("PNG"), "a.jpg", "image/jpeg", "file_type"),
        (half_red(), "a.pdf", "application/pdf", "file_type"),
        (half_red(), "a", "image/png", "file_type"),
        (half_red()[:2000], "a.jpg", "image/jpeg", "file_broken"),
        (bomb(), "a.png", "image/png", "file_too_many_pixels"),
        (b"PK\3\4" + b"\0" * 100, "a.docx", "", "file_type"),
        (office("xl"), "a.docx", "", "file_type"),
        (PDF, "a.exe", "application/pdf", "file_type"),
        (b"MZ" + PDF, "a.pdf", "application/pdf", "file_type"),
        (b"", "a.pdf", "application/pdf", "file_empty"),
    ],
)
def test_files_that_are_not_what_they_claim_are_refused_and_leave_nothing(
    app: Flask, client_as: ClientAs, folder: Path, data: bytes, name: str, kind: str, problem: str
) -> None:
    answer = upload(client_as("member"), data, name, kind)
    assert (answer.status_code, code(answer)) == (422, problem)
    assert (stored_names(folder), left_behind(folder)) == (set(), [])
    with app.app_context():
        assert not db.session.query(ChatFile).count()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (office("word"), "a.docx"),
        (office("xl"), "b.XLSX"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "with_password.xlsx"),
        (b"ID3\4" + b"\0" * 99, "c.mp3"),
    ],
)
def test_office_files_and_audio_are_accepted(client_as: ClientAs, data: bytes, name: str) -> None:
    answer = upload(client_as("member"), data, name, "application/octet-stream")
    assert answer.status_code == 201
    assert get(client_as("member"), answer.get_json()["url"]).data == data


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_only_the_first_frame_of_an_animation_is_stored(client_as: ClientAs, kind: str) -> None:
    file = upload(client_as("member"), animated(kind), f"a.{kind.lower()}", f"image/{kind.lower()}")
    assert file.status_code == 201
    shown = Image.open(BytesIO(get(client_as("member"), file.get_json()["url"]).data))
    assert getattr(shown, "n_frames", 1) == 1


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\a\\b.pdf", "b.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie_ x=1.pdf"),
        ("\u202e\u200bfdp.pdf", "fdp.pdf"),
        ("é" * 300 + ".pdf", "é" * 116 + ".pdf"),
        ("...pdf", "berkas.pdf"),
        (".pdf", "berkas.pdf"),
        ('a"b<c>.pdf', "a_b_c_.pdf"),
    ],
)
def test_file_names_are_sanitized(client_as: ClientAs, name: str, shown: str) -> None:
    member = client_as("member")
    sent = f"filename*=UTF-8''{quote(name, safe='')}".encode()
    body = form(PDF, "NAME").replace(b'filename="NAME"', sent)
    answer = member.post(FILES, data=body, content_type=FORM)
    assert answer.status_code == 201, answer.text
    assert answer.get_json()["name"] == shown
    served = get(member, answer.get_json()["url"]).headers
    assert "\n" not in served["Content-Disposition"]
    assert "Set-Cookie" not in served


def test_only_members_read_files(client_as: ClientAs) -> None:
    file = upload(client_as("member"), PDF, "a.pdf", "").get_json()
    assert send(client_as("member"), [file["id"]]).status_code == 201
    for who in ("outsider", "admin", "operator"):
        client = client_as(who)
        assert get(client, file["url"]).status_code == 404
        assert get(client, file["url"].replace(UKM, "PRAMUKA")).status_code == 404
        assert upload(client, PDF, "a.pdf").status_code == 404
    assert upload(client_as("nobody"), PDF, "a.pdf").status_code == 401
    assert get(client_as("nobody"), file["url"]).status_code == 302


def test_ranges_and_etags(client_as: ClientAs) -> None:
    member = client_as("member")
    file = upload(member, PDF, "a.pdf", "").get_json()
    part = get(member, file["url"], Range="bytes=0-4")
    assert (part.status_code, part.data) == (206, b"%PDF-")
    assert part.headers["Content-Range"] == f"bytes 0-4/{len(PDF)}"
    assert get(member, file["url"], Range="bytes=-5").data == PDF[-5:]
    assert get(member, file["url"], Range="bytes=9999-").status_code == 416
    tag = part.headers["ETag"]
    assert get(member, file["url"], **{"If-None-Match": tag}).status_code == 304
    assert member.head(file["url"], buffered=True).headers["Content-Length"] == str(len(PDF))


@every_database
def test_a_deleted_message_deletes_its_file_unless_another_has_the_same(
    app: Flask, client_as: ClientAs, folder: Path
) -> None:
    member, friend = client_as("member"), client_as("friend")
    mine = upload(member, half_red(), "a.jpg").get_json()
    theirs = upload(friend, half_red(), "a.jpg").get_json()
    first = send(member, [mine["id"]]).get_json()
    second = send(friend, [theirs["id"]]).get_json()
    assert len(stored_names(folder)) == 2, "a picture and its thumbnail, once"
    assert member.delete(f"{MESSAGES}/{first['id']}").status_code == 204
    assert get(member, mine["url"]).status_code == 404
    assert get(member, theirs["url"]).status_code == 200
    shown = member.get(MESSAGES).get_json()["messages"]
    assert [message["files"] for message in shown] == [[], [theirs]]
    assert friend.delete(f"{MESSAGES}/{second['id']}").status_code == 204
    assert (stored_names(folder), left_behind(folder)) == (set(), [])
    with app.app_context():
        assert not db.session.query(ChatFile).count()


def test_a_file_belongs_to_one_message_of_its_owner(app: Flask, client_as: ClientAs) -> None:
    member, friend = client_as("member"), client_as("friend")
    mine = upload(member, PDF, "a.pdf", "").get_json()["id"]
    for wrong in ([mine, mine], [mine, 99], [-1], [2**70], [mine] * 11):
        assert send(member, wrong).status_code == 422, wrong
    for odd in ("x", ["1"], [True], [1.5], None):
        assert send(member, odd).status_code == 422, odd
    assert send(friend, [mine]).status_code == 422
    assert send(member, []).status_code == 422, "neither text nor file"
    first = send(member, [mine], "Notulen")
    again = send(member, [mine], "Notulen")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json() == again.get_json()
    taken = send(member, [mine], client_id="m2")
    assert (taken.status_code, code(taken)) == (422, "no_such_file")
    with app.app_context():
        assert db.session.query(ChatMessage).count() == 1


def test_several_files_keep_their_order(client_as: ClientAs) -> None:
    member = client_as("member")
    ids = [
        upload(member, PDF + bytes([n]), f"{n}.pdf", client_id=f"f{n}").get_json()["id"]
        for n in range(5)
    ]
    wanted = [ids[3], ids[0], ids[4], ids[1], ids[2]]
    assert [file["id"] for file in send(member, wanted).get_json()["files"]] == wanted
    assert [
        file["id"] for file in member.get(MESSAGES).get_json()["messages"][0]["files"]
    ] == wanted


def test_an_unsent_file_may_be_discarded(client_as: ClientAs, folder: Path) -> None:
    member, friend = client_as("member"), client_as("friend")
    file = upload(member, PDF, "a.pdf").get_json()
    assert friend.delete(file["url"]).status_code == 404
    assert member.delete(file["url"]).status_code == 204
    assert get(member, file["url"]).status_code == 404
    assert stored_names(folder) == set()
    sent = upload(member, PDF, "a.pdf").get_json()
    send(member, [sent["id"]])
    assert member.delete(sent["url"]).status_code == 404, "it was sent"


def test_a_text_with_files_may_be_edited_to_nothing(client_as: ClientAs) -> None:
    member = client_as("member")
    file = upload(member, PDF, "a.pdf").get_json()
    message = send(member, [file["id"]], "lihat").get_json()
    edited = member.patch(f"{MESSAGES}/{message['id']}", json={"message": " "})
    assert (edited.status_code, edited.get_json()["message"]) == (200, "")
    assert edited.get_json()["files"] == [file]


def test_quotas_and_the_maximum_size_are_enforced(app: Flask, client_as: ClientAs) -> None:
    app.config.update(FILES_MAX_MB=1, FILES_PERSON_MB=2, FILES_UKM_MB=3)
    member, friend = client_as("member"), client_as("friend")

    def pdf(client: FlaskClient, size: int, client_id: str) -> tuple[int, str]:
        answer = upload(client, PDF.ljust(size, b"\n"), "a.pdf", client_id=client_id)
        return answer.status_code, "" if answer.status_code == 201 else code(answer)

    assert pdf(member, 1_000_001, "a") == (413, "file_too_large")
    assert pdf(member, 3_000_000, "a") == (413, "file_too_large")
    assert pdf(member, 1_000_000, "a") == (201, "")
    assert pdf(member, 999_999, "b") == (201, "")
    assert pdf(member, 1000, "c") == (413, "quota_used")
    assert pdf(friend, 1_000_000, "a") == (201, "")
    assert pdf(friend, 1000, "b") == (413, "quota_used")


def test_file_sizes_are_rounded_to_a_short_text(app: Flask) -> None:
    """The page's script formats sizes in the same way: tests/js/format.test.js."""
    sizes = (6, 51, 1000, 3200, 320_300, 1_400_000, 20_000_000, 5_000_000_000)
    with app.test_request_context():
        words = [quotas.in_words(size) for size in sizes]
    assert words == ["6 B", "51 B", "1 kB", "3,2 kB", "320 kB", "1,4 MB", "20 MB", "5 GB"]


def test_a_page_reads_all_files_by_one_query(app: Flask, client_as: ClientAs) -> None:
    member = client_as("member")
    for n in range(3):
        file = upload(member, PDF, "a.pdf", client_id=f"f{n}").get_json()["id"]
        assert send(member, [file], client_id=f"m{n}").status_code == 201
    with recorded_statements(app) as statements:
        member.get(MESSAGES)
    assert len([each for each in statements if "FROM chat_file" in each]) == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"client_id": "a"}, {"file": "text", "client_id": "a"}, {"file": (BytesIO(PDF), "a.pdf")}],
)
def test_a_form_without_file_or_client_id_is_refused(
    client_as: ClientAs, body: dict[str, Any]
) -> None:
    answer = client_as("member").post(FILES, data=body, content_type="multipart/form-data")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("client_id", "sentence"),
    [
        ("", "client_id harus diisi."),
        ("x" * 65, "client_id paling panjang 64 karakter."),
        ("a\0b", "client_id berisi karakter yang tidak bisa disimpan."),
    ],
)
def test_a_bad_client_id_is_refused_with_a_message(
    client_as: ClientAs, client_id: str, sentence: str
) -> None:
    member = client_as("member")
    file = upload(member, PDF, "a.pdf", client_id=client_id)
    message = send(member, [], "Halo", client_id=client_id)
    assert (file.status_code, message.status_code) == (422, 422)
    assert file.get_json()["error"] == message.get_json()["error"]
    assert file.get_json()["error"]["message"] == sentence


def test_a_muted_member_uploads_nothing(app: Flask, client_as: ClientAs) -> None:
    member = client_as("member")
    with app.app_context(), transaction() as session:
        session.execute(update(Membership).values(muted_until=utcnow() + timedelta(days=365)))
    assert upload(member, PDF, "a.pdf").status_code == 403


@every_database
def test_the_files_of_an_account_are_exported_and_deleted_with_it(
    app: Flask, client_as: ClientAs, folder: Path
) -> None:
    member, friend = client_as("member"), client_as("friend")
    alone, beside, unsent = (
        upload(member, PDF + bytes([65 + n]), f"{n}.pdf", client_id=f"f{n}").get_json()
        for n in range(3)
    )
    send(member, [alone["id"]], client_id="m1")
    send(member, [beside["id"]], "lihat", client_id="m2")
    answer = member.get("/profile/data", buffered=True)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="myukm-data.zip"'
    exported = zipfile.ZipFile(BytesIO(answer.data))
    about = json.loads(exported.read("myukm-data.json"))["files"]
    assert [file["name"] for file in about] == ["0.pdf", "1.pdf", "2.pdf"]
    assert exported.namelist() == [*(file["path"] for file in about), "myukm-data.json"]
    assert exported.read(about[1]["path"]) == PDF + b"B"
    stored = (path for path in folder.rglob("*") if path.is_file())
    next(path for path in stored if path.read_bytes() == PDF + b"C").unlink()
    answer = member.get("/profile/data", buffered=True)
    exported = zipfile.ZipFile(BytesIO(answer.data))
    about = json.loads(exported.read("myukm-data.json"))["files"]
    assert [file["name"] for file in about] == ["0.pdf", "1.pdf"], "only files that are in it"
    theirs = upload(friend, PDF + b"B", "same.pdf").get_json()
    send(friend, [theirs["id"]], client_id="m3")
    assert member.post("/profile/delete", json={"password": PASSWORD}).status_code == 200
    left = friend.get(MESSAGES).get_json()["messages"]
    assert [(each["message"], each["deleted"], each["files"]) for each in left] == [
        ("", True, []),
        ("lihat", False, []),
        ("", False, [theirs]),
    ]
    assert get(friend, beside["url"]).status_code == 404
    assert get(friend, theirs["url"]).data == PDF + b"B", "the same bytes, of somebody else"
    assert len(stored_names(folder)) == 1
    assert unsent["id"]


def test_a_search_finds_messages_with_files(client_as: ClientAs) -> None:
    member = client_as("member")
    file = upload(member, PDF, "a.pdf").get_json()
    with_file = send(member, [file["id"]], "notulen rapat").get_json()
    send(member, [], "notulen menyusul", client_id="m2")

    def found(query: str) -> list[int]:
        answer = member.get(f"/ukm/{UKM}/search", query_string={"q": query})
        return [message["id"] for message in answer.get_json()["messages"]]

    assert found("ada:berkas") == [with_file["id"]]
    url = f"{MESSAGES}/{with_file['id']}"
    assert member.patch(url, json={"message": "notulen"}).status_code == 200
    assert found("notulen ada:berkas") == [with_file["id"]]
    assert member.delete(url).status_code == 204
    assert found("ada:berkas") == []


def test_pages_show_how_much_of_the_quotas_is_used(app: Flask, client_as: ClientAs) -> None:
    member = client_as("member")
    with app.app_context(), transaction() as session:
        session.execute(update(Membership).values(is_admin=True))
    assert upload(member, PDF.ljust(1_400_000, b"\n"), "a.pdf").status_code == 201
    assert "1,4 MB dari 500 MB" in member.get("/profile").text
    assert "1,4 MB dari 5 GB" in member.get(f"/ukm/{UKM}/manage").text
