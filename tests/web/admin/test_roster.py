"""The page of imports: roles, previews, and that an import writes only what its preview shows.

`plan` is the number of the preview that the person saw. With `whole`, students that the file does
not name become inactive.
"""

import io
import zipfile
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from myukm.domain.roster import imports, work
from myukm.extensions import db
from myukm.models import RosterImport, Siswa
from tests.conftest import every_database
from tests.support.files import FORM, form

ClientAs = Callable[[str], FlaskClient]
PAGE, SCRIPT = "/admin/impor-siswa", {"Accept": "application/json"}
FIRST = 'idperson,nama,phone\n1,Ani "Ica" <b> 🌙,081\n2,Budi,082\n'
CALLS = [("post", ""), ("post", "/api"), ("get", ""), ("get", "/1")]
CALLS += [("post", f"/1/{action}") for action in ("apply", "withdraw", "undo")]


def upload(client: FlaskClient, text: str = FIRST, **fields: str):
    form = {"roster": (io.BytesIO(text.encode()), "siswa.csv", "text/csv"), **fields}
    return client.post(PAGE, data=form)


@pytest.fixture
def run_jobs(app: Flask) -> Callable[[], None]:
    """Return a function that does the work of all imports' jobs."""

    def run() -> None:
        with app.app_context():
            for import_id in db.session.scalars(select(RosterImport.id)).all():
                work.advance(import_id)

    return run


def names(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Siswa.nama).order_by(Siswa.idperson)))


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_only_admins_and_treasurers_may_import(client_as: ClientAs, method: str, path: str) -> None:
    for who in ("operator", "member"):
        assert getattr(client_as(who), method)(PAGE + path).status_code == 403
        assert getattr(client_as(who), method)(PAGE + path, headers=SCRIPT).status_code == 403
    nobody = getattr(client_as("nobody"), method)
    assert nobody(PAGE + path, headers=SCRIPT).status_code == 401
    if method == "get":
        assert "/login" in nobody(PAGE + path).location
        for who in ("admin", "bendahara"):
            assert client_as(who).get(PAGE).status_code == 200


def test_an_import_is_previewed_applied_and_undone(
    app: Flask, client_as: ClientAs, run_jobs: Callable[[], None]
) -> None:
    client = client_as("bendahara")
    answer = upload(client)
    assert (answer.status_code, answer.location) == (303, f"{PAGE}/1")
    assert "Sedang dibaca" in client.get(f"{PAGE}/1").text
    run_jobs()
    page = client.get(f"{PAGE}/1").text
    assert "Ani &#34;Ica&#34; &lt;b&gt; 🌙" in page
    assert "Terapkan 2 perubahan" in page
    assert names(app) == []
    assert client.post(f"{PAGE}/1/apply", data={"plan": "1"}).status_code == 303
    run_jobs()
    assert len(names(app)) == 2
    assert "Batalkan impor ini" in client.get(f"{PAGE}/1").text
    assert "siswa.csv" in client_as("admin").get(PAGE).text
    assert client_as("admin").post(f"{PAGE}/1/undo").status_code == 303
    run_jobs()
    assert names(app) == []


def test_a_script_can_import_by_json(
    app: Flask, client_as: ClientAs, run_jobs: Callable[[], None]
) -> None:
    client = client_as("admin")
    form = {"roster": (io.BytesIO(FIRST.encode()), "siswa.csv"), "whole": "true"}
    begun = client.post(PAGE, data=form, headers=SCRIPT)
    assert (begun.status_code, begun.get_json()["status"]) == (202, "reading")
    assert "changes" not in client.get(f"{PAGE}/1", headers=SCRIPT).get_json(), "polled"
    run_jobs()
    state = client.get(f"{PAGE}/1", headers=SCRIPT).get_json()
    assert (state["status"], state["added"], state["whole"], state["total"]) == (
        "ready",
        2,
        True,
        2,
    )
    wrong = client.post(f"{PAGE}/1/apply", json={"plan": 9})
    assert (wrong.status_code, wrong.get_json()["error"]["code"]) == (409, "stale")
    assert client.post(f"{PAGE}/1/apply", json={"plan": 1}).status_code == 202
    polled = client.get(f"{PAGE}/1", headers=SCRIPT).get_json()
    assert (polled["status"], "changes" in polled) == ("applying", False)
    run_jobs()
    assert client.get(PAGE, headers=SCRIPT).get_json()["imports"][0]["status"] == "applied"


def test_a_preview_is_shown_only_to_its_owner(
    client_as: ClientAs, run_jobs: Callable[[], None]
) -> None:
    upload(client_as("admin"))
    run_jobs()
    other = client_as("bendahara")
    assert other.get(f"{PAGE}/1").status_code == 404
    for action in ("apply", "withdraw", "undo"):
        sent = {"plan": "1"} if action == "apply" else {}
        assert other.post(f"{PAGE}/1/{action}", data=sent).status_code == 404
    assert client_as("admin").post(f"{PAGE}/1/withdraw").status_code == 303
    assert client_as("admin").get(f"{PAGE}/1").status_code == 404


def test_a_preview_that_another_tab_applied_cannot_be_withdrawn(
    app: Flask, client_as: ClientAs, run_jobs: Callable[[], None]
) -> None:
    client = client_as("admin")
    upload(client)
    run_jobs()
    client.post(f"{PAGE}/1/apply", data={"plan": "1"})
    refused = client.post(f"{PAGE}/1/withdraw", headers=SCRIPT)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "not_open")
    run_jobs()
    assert len(names(app)) == 2


def test_a_preview_withdrawn_twice_at_the_same_moment_is_not_found(
    client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    withdraw = imports.withdraw
    monkeypatch.setattr(
        imports, "withdraw", lambda import_id: withdraw(import_id) and withdraw(import_id)
    )
    client = client_as("admin")
    upload(client)
    assert client.post(f"{PAGE}/1/withdraw", headers=SCRIPT).status_code == 404


def test_many_students_become_inactive_only_if_accepted(
    app: Flask, client_as: ClientAs, run_jobs: Callable[[], None]
) -> None:
    client = client_as("admin")
    upload(client)
    run_jobs()
    client.post(f"{PAGE}/1/apply", json={"plan": 1})
    run_jobs()
    upload(client, "idperson,nama\n2,Budi\n", whole="true")
    run_jobs()
    assert "1 dari 2 siswa aktif akan menjadi nonaktif" in client.get(f"{PAGE}/2").text
    refused = client.post(f"{PAGE}/2/apply", json={"plan": 1})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "many_leave")
    assert client.post(f"{PAGE}/2/apply", data={"plan": "1", "accept": "true"}).status_code == 303


def with_macros() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"):
            archive.writestr(name, b"x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (with_macros(), "Berkas ini berisi makro."),
        ("idperson,nama\n1,Ani\n2,Zoë\n".encode("cp1252"), "Baris 3: bukan UTF-8."),
        ("idperson,nama\n1,Ani\n".encode("utf-16"), "Baris 1: ini teks UTF-16"),
        (b"idperson\tnama\n1\t\n", "Baris 2: nama kosong."),
    ],
)
def test_the_error_of_a_bad_file_is_on_the_page_and_in_the_json(
    app: Flask,
    client_as: ClientAs,
    run_jobs: Callable[[], None],
    data: bytes,
    sentence: str,
) -> None:
    client = client_as("bendahara")
    assert client.post(PAGE, data={"roster": (io.BytesIO(data), "x.xlsx")}).status_code == 303
    run_jobs()
    assert sentence in client.get(f"{PAGE}/1").text
    state = client.get(f"{PAGE}/1", headers=SCRIPT).get_json()
    assert state["status"] == "failed"
    assert sentence in state["error"]
    assert client.post(f"{PAGE}/1/apply", json={"plan": 1}).status_code == 409
    assert names(app) == []


@pytest.mark.parametrize("headers", [{}, SCRIPT])
def test_an_upload_without_a_file_is_refused(client_as: ClientAs, headers: dict[str, str]) -> None:
    client = client_as("admin")
    empty = {"roster": (io.BytesIO(b""), "siswa.csv")}
    answer = client.post(PAGE, data=empty, headers=headers)
    assert answer.status_code == 422
    assert "0 byte" in answer.text
    assert client.post(PAGE, data={}, headers=headers).status_code == 422


@pytest.mark.parametrize("whole", ["1", "ya", "false", ""])
def test_the_field_whole_must_be_true_or_missing(
    app: Flask, client_as: ClientAs, whole: str
) -> None:
    client = client_as("admin")
    form = {"roster": (io.BytesIO(FIRST.encode()), "siswa.csv"), "whole": whole}
    answer = client.post(PAGE, data=form, headers=SCRIPT)
    assert answer.status_code == 422
    assert answer.get_json()["error"] == {
        "code": "bad_whole",
        "message": "Isian whole hanya boleh true, atau tidak dikirim.",
    }
    unread = client.post(PAGE, data={"whole": "true"})
    assert 'value="true" checked' in unread.text, "a second try still is the complete list"
    refused = upload(client, whole=whole)
    assert (refused.status_code, "Isian whole hanya boleh true" in refused.text) == (422, True)
    with app.app_context():
        assert db.session.scalars(select(RosterImport)).all() == []


@every_database
def test_a_file_name_is_stored_without_nul_and_bidi_controls(client_as: ClientAs) -> None:
    """PostgreSQL refuses NUL; bidirectional control characters can disguise an extension."""
    client = client_as("admin")
    form = {"roster": (io.BytesIO(FIRST.encode()), "sis\0wa\u202evsc.csv")}
    answer = client.post(PAGE, data=form, headers=SCRIPT)
    assert (answer.status_code, answer.get_json()["file_name"]) == (202, "siswavsc.csv")


@pytest.mark.parametrize("size", [(32 << 20) + 1, 34 << 20])
def test_a_file_that_is_too_large_is_refused_and_the_earlier_preview_stays(
    client_as: ClientAs, run_jobs: Callable[[], None], size: int
) -> None:
    client = client_as("admin")
    upload(client)
    run_jobs()
    body = form(bytes(size), "x.csv", field="roster")
    page = client.post(PAGE, data=body, content_type=FORM)
    assert page.status_code == 413
    assert "Berkas ini lebih dari 32 MB." in page.text
    assert "Lihat pratinjau" in page.text, "the form for the next try"
    answer = client.post(PAGE, data=body, content_type=FORM, headers=SCRIPT)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (413, "too_large")
    assert client.get(f"{PAGE}/1", headers=SCRIPT).get_json()["status"] == "ready"


def test_a_file_that_is_too_large_is_refused_before_it_is_read(client_as: ClientAs) -> None:
    sent = {"CONTENT_LENGTH": f"{34 << 20}", "CONTENT_TYPE": "multipart/form-data; boundary=x"}
    answer = client_as("admin").post(PAGE, environ_overrides=sent)
    assert answer.status_code == 413


def test_an_unknown_kind_of_change_or_import_is_refused(
    client_as: ClientAs, run_jobs: Callable[[], None]
) -> None:
    upload(client_as("admin"))
    run_jobs()
    assert client_as("admin").get(f"{PAGE}/1?show=x").status_code == 422
    assert client_as("admin").get(f"{PAGE}/99").status_code == 404
