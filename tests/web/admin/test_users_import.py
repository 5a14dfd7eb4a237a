"""Import of accounts: if one line is wrong, nothing is written."""

import csv
import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.extensions import db
from myukm.models import Activity, Invitation
from tests.conftest import every_database
from tests.support.files import FORM, form

ClientAs = Callable[[str], FlaskClient]
SCRIPT = {"Accept": "application/json"}
GOOD = 'nim,name,role\n101,Ani Wijaya,\n102,"Beni, S.Pd",operator\n'


def send(client: FlaskClient, text: str | bytes, path: str = "", **headers: str):
    data = text.encode() if isinstance(text, str) else text
    form = {"roster": (io.BytesIO(data), "orang.csv", "text/csv")}
    return client.post(f"/admin/users/import{path}", data=form, headers=headers)


def check(client: FlaskClient, text: str | bytes):
    return send(client, text, "/check", **SCRIPT)


def invitations(app: Flask) -> list[str]:
    with app.app_context():
        return sorted(one.nim for one in db.session.query(Invitation))


@pytest.mark.parametrize("path", ["", "/check"])
def test_only_admins_may_import(client_as: ClientAs, path: str) -> None:
    for who in ("bendahara", "operator", "member"):
        assert send(client_as(who), GOOD, path).status_code == 403
    assert send(client_as("nobody"), GOOD, path).status_code == 401


def test_a_check_writes_nothing(app: Flask, client_as: ClientAs) -> None:
    answer = check(client_as("admin"), GOOD)
    assert answer.get_json() == {"people": 2, "renewed": 0, "problem_count": 0, "problems": []}
    assert invitations(app) == []


@every_database
def test_everyone_in_the_file_gets_a_valid_code(app: Flask, client_as: ClientAs) -> None:
    answer = send(client_as("admin"), GOOD)
    assert answer.mimetype == "text/csv"
    assert answer.headers["Cache-Control"] == "no-store"
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [(row["nim"], row["name"], row["role"]) for row in rows] == [
        ("101", "Ani Wijaya", "anggota"),
        ("102", "Beni, S.Pd", "operator"),
    ]
    for row in rows:
        sent = {"nim": row["nim"], "code": row["code"], "password": "kata-sandi-baru"}
        account = client_as("nobody").post("/register", json=sent).get_json()
        assert (account["name"], account["role"]) == (row["name"], row["role"])
    with app.app_context():
        line = db.session.query(Activity).filter_by(action="user.import").one()
        assert (line.actor_name, line.subject) == ("Siti Rahma", "2 NIM: 101 … 102")


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffNIM;Nama;Peran\r\n7;Ani;anggota\r\n",
        "peran,nama,catatan,nim\n,Ani,x,7\n",
        "nim,name\n\n 7 , Ani \n,\n",
        "nim,name\r7,Ani\r",
        "nim,name\r\n7,Ani\r\n\x1a",
        "sep=;\nnim;name\n7;Ani;\n",
        "\u200bnim\tname\trole\n7\tAni\n",
        'nim,name,"Catatan\nlain"\n"=""7""",Ani,x\n',
        "\ufeff\ufeffsep=;\n;;\nnim;name;role\n'7;Ani;anggota\x1a",
    ],
)
def test_files_from_spreadsheet_programs_are_read(
    app: Flask, client_as: ClientAs, text: str
) -> None:
    assert send(client_as("admin"), text).status_code == 200
    assert invitations(app) == ["7"]


@pytest.mark.parametrize("path", ["", "/check"])
@pytest.mark.parametrize("size", [(4 << 20) + 1, 5 << 20])
def test_the_page_names_the_limit_for_a_file_that_is_too_large(
    client_as: ClientAs, path: str, size: int
) -> None:
    body = form(bytes(size), "x.csv", field="roster")
    path = f"/admin/users/import{path}"
    page = client_as("admin").post(path, data=body, content_type=FORM)
    assert page.status_code == 413
    assert "Berkas ini lebih dari 4 MB." in page.text
    assert 'id="roster-result"' in page.text, "the page of the form"
    answer = client_as("admin").post(path, data=body, content_type=FORM, headers=SCRIPT)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (413, "too_large")


BAD_LINES = (
    "nim,name,role\n"
    "1,Ani,anggota\n"
    "2024001,Mega,anggota\n"
    "2,\u202e\u200b,anggota\n"
    "3,Cici,raja\n"
    "1,Ani Lagi,anggota\n"
    "4 5,Dedi,anggota\n"
    "6,Eko, S.Pd,anggota\n"
    "7,Fani,anggota\n"
    "2.02E+10,Gita,anggota\n"
)


def test_every_bad_line_is_named_and_nothing_written(app: Flask, client_as: ClientAs) -> None:
    admin = client_as("admin")
    problems = check(admin, BAD_LINES).get_json()["problems"]
    assert {one["line"]: one["message"] for one in problems} == {
        3: "NIM ini sudah terdaftar.",
        4: "Nama harus 1 sampai 120 huruf.",
        5: "Peran harus salah satu dari: admin, bendahara, operator, anggota.",
        6: "NIM ini sudah ada di baris 2.",
        7: "NIM harus 1 sampai 32 huruf atau angka tanpa spasi.",
        8: "ada 4 kolom, seharusnya 3.",
        10: "NIM ini angka yang diubah spreadsheet. Atur kolomnya sebagai teks.",
    }
    answer = send(admin, BAD_LINES, **SCRIPT)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "bad_roster")
    assert answer.get_json()["problems"] == problems
    page = send(admin, BAD_LINES)
    assert page.status_code == 422
    assert "7 baris salah" in page.text
    assert invitations(app) == []


COLUMNS = "Baris pertama harus berisi nama kolom: nim,name,role."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", COLUMNS),
        ("nim,name\n", "Tidak ada orang di dalamnya."),
        ("nama,peran\nAni,anggota\n", COLUMNS),
        ("nim,nim,name\n1,2,Ani\n", COLUMNS),
        ("nim,name,role,peran\n1,Ani,anggota,admin\n", COLUMNS),
        ('nim,name\n1,"Ani\n', "Baris 2: tidak bisa dibaca"),
        (b"nim,name\n1,\xff\n", "Baris 2: bukan UTF-8."),
        (b"PK\x03\x04", "Baris 1: ini buku kerja Excel atau LibreOffice"),
        (
            "nim,name\n" + "".join(f"{n},N\n" for n in range(20_001)),
            "Paling banyak 20000 baris sekaligus.",
        ),
    ],
    ids=["empty", "nobody", "no nim", "two", "two roles", "quote", "UTF-8", "workbook", "long"],
)
def test_a_file_that_is_no_roster_is_refused(
    app: Flask, client_as: ClientAs, text: str | bytes, message: str
) -> None:
    admin = client_as("admin")
    for answer in (check(admin, text), send(admin, text, **SCRIPT)):
        error = answer.get_json()["error"]
        assert (answer.status_code, error["code"]) == (422, "bad_roster")
        assert error["message"].startswith(message)
    page = send(admin, text)
    assert page.status_code == 422
    assert message in page.text
    assert invitations(app) == []


def test_a_request_without_a_file_is_refused(client_as: ClientAs) -> None:
    assert client_as("admin").post("/admin/users/import").status_code == 422


def test_an_import_voids_an_earlier_code(client_as: ClientAs) -> None:
    admin = client_as("admin")
    invited = {"nim": "101", "name": "Ani", "role": "anggota"}
    code = admin.post("/admin/users/invitations", json=invited).get_json()["code"]
    assert check(admin, GOOD).get_json()["renewed"] == 1
    send(admin, GOOD)
    sent = {"nim": "101", "code": code, "password": "kata-sandi-baru"}
    assert client_as("nobody").post("/register", json=sent).status_code == 403


def test_ten_thousand_people_are_imported_at_once(app: Flask, client_as: ClientAs) -> None:
    text = "nim,name\n" + "".join(f"{n},Orang {n}\n" for n in range(10_000))
    assert send(client_as("admin"), text).data.count(b"\n") == 10_001
    assert len(invitations(app)) == 10_000


def test_a_name_that_is_a_formula_is_written_as_text(client_as: ClientAs) -> None:
    answer = send(client_as("admin"), "nim,name\n1,=HYPERLINK(1)\n")
    assert "'=HYPERLINK(1)" in answer.text
