"""Imports from a file and from the API: all or nothing; errors name the line."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, func, select, text, update
from sqlalchemy.exc import OperationalError

from devtools.simulator.client import Simulator
from myukm.domain.roster import importing
from myukm.domain.roster.importing import Imported
from myukm.errors import Conflict, DomainError, Invalid, Unavailable
from myukm.extensions import db
from myukm.models import Siswa
from tests.conftest import every_database
from tests.support.raw_api import RawApi, raw
from tests.support.waiting import wait_until

Import = Callable[..., Imported]


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


@pytest.fixture
def load(inside: Flask, tmp_path: Path) -> Import:
    """`load("idperson,nama\\n1,Siti")` imports that file (text or bytes)."""

    def run(content: str | bytes) -> Imported:
        path = tmp_path / "siswa.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return importing.from_file(path)

    return run


def stored() -> dict[str, str]:
    db.session.rollback()
    query = select(Siswa.idperson, Siswa.nama).order_by(Siswa.idperson)
    return dict(db.session.execute(query).all())


def one(idperson: str) -> Siswa:
    query = select(Siswa).where(Siswa.idperson == idperson)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


@every_database
def test_new_students_are_added_and_known_ones_updated(load: Import) -> None:
    first = load("idperson,nama,UnitFormal,kelas_formal\n1,Siti,MTs,VII A\n2,Budi,MA,X\n")
    assert first == Imported(2, 2, 0, 0)
    second = load("IDPERSON;Nama;phone\n2;Budi Santoso;0812\n1;Siti;\n3;Ani;\n")
    assert second == Imported(3, 1, 1, 0)
    assert stored() == {"1": "Siti", "2": "Budi Santoso", "3": "Ani"}
    budi = one("2")
    assert (budi.unit_formal, budi.kelas_formal, budi.phone) == ("MA", "X", "0812")
    assert budi.search_text == "budi santoso 2 ma x  0812"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_dialects_of_spreadsheets_are_accepted(load: Import, encoding: str, end: str) -> None:
    lines = ['"Nama" ; idperson;catatan', '"Nur; ""Aini""";007;x', ";;", "", "  Zoë   Ñandú ;A/1;"]
    load(end.join(lines).encode(encoding))
    assert stored() == {"007": 'Nur; "Aini"', "A/1": "Zoë Ñandú"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "Berkas ini kosong (0 byte)"),
        ("idperson,kelas\n1,X", "Baris 1: kolom nama tidak ada"),
        ("idperson,nama,Nama\n1,a,b", "Baris 1: kolom nama ada dua kali"),
        ("idperson,nama,UnitFormal,unit_formal\n1,a,b,c", "kolom unit_formal ada dua kali"),
        ("idperson,nama\n", "Tidak ada siswa di dalamnya"),
        ("idperson,nama\n9,Ani\n\n1\n", "Baris 4: nama kosong"),
        ("idperson,nama\n9,Ani\n1.23E+11,Siti\n", "Baris 3: idperson 1.23E+11 adalah angka"),
        ("idperson;nama\n9;Ani\n1,2e+9;Siti\n", "Baris 3: idperson 1,2e+9 adalah angka"),
        ("idperson,nama\n9,Ani\n########,Siti\n", "Baris 3: idperson ######## adalah angka"),
        ("idperson,nama\n9,Ani\n#REF!,Siti\n", "Baris 3: idperson #REF! adalah angka"),
        ("idperson,nama\n9,Ani\n1,a,b\n", "Baris 3: ada 3 kolom, seharusnya 2"),
        ("idperson,nama\n9,Ani\n ,Siti\n", "Baris 3: idperson kosong"),
        ("idperson,nama\n9,Ani\n1, \n", "Baris 3: nama kosong"),
        ("idperson,nama\n9,Ani\n1\x007,Siti\n", "Baris 3: idperson berisi karakter"),
        ("idperson,nama\n9,Ani\n..,Siti\n", "Baris 3: idperson berisi karakter"),
        (f"idperson,nama\n9,Ani\n1,{'a' * 161}\n", "Baris 3: nama lebih dari 160"),
        (f"idperson,nama\n9,Ani\n{'1' * 65},a\n", "Baris 3: idperson lebih dari 64"),
        ('idperson,nama\n9,"Ani\nDua"\n1,a\n9,b\n', "Baris 5: idperson 9 sudah ada di nomor 2"),
        ('idperson,nama\n9,Ani\n1,"Siti\n', "Baris 3: tidak bisa dibaca"),
        ('idperson,nama\n9,Ani\n1,"Si"ti\n', "Baris 3: tidak bisa dibaca"),
        (b"idperson,nama\n9,Ani\n1,Zo\xeb\n", "Baris 3: bukan UTF-8"),
        ("idperson,nama\n1,Ani\n".encode("utf-16"), "Baris 1: ini teks UTF-16"),
        ("idperson,nama\n1,Ani\n".encode("utf-16-be"), "Baris 1: ini teks UTF-16"),
        (b"PK\x03\x04\x14\x00\x06\x00xl/", "Berkas XLSX ini rusak"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "Baris 1: ini buku kerja Excel lama (.xls)"),
        ("\ufeff<table><tr><td>idperson</td></tr></table>", "Baris 1: ini halaman HTML atau XML"),
        ("%PDF-1.7\n", "Baris 1: ini PDF"),
        ('{"data": []}', "Baris 1: ini JSON"),
        ("\n,,\nidperson,kelas\n1,X", "Baris 3: kolom nama tidak ada"),
        ("idperson,nama\n9,Ani\n250012.0,Siti\n", "Baris 3: idperson 250012.0 adalah angka"),
        ("idperson;nama\n9;Ani\n250012,00;Siti\n", "Baris 3: idperson 250012,00 adalah angka"),
        ("idperson,nama\n9,Ani\n12.5E+10,Siti\n", "Baris 3: idperson 12.5E+10 adalah angka"),
        ("idperson,nama\n9,Ani\n1\u200b2,Siti\n", "Baris 3: idperson berisi karakter"),
    ],
)
def test_a_bad_file_names_its_line_and_changes_nothing(
    load: Import, content: str | bytes, message: str
) -> None:
    load("idperson,nama\n0,Lama\n")
    with pytest.raises(Invalid) as caught:
        load(content)
    assert message in str(caught.value)
    assert stored() == {"0": "Lama"}


@pytest.mark.parametrize(
    ("content", "students"),
    [
        ("idperson,nama\r1,Siti\r2,Budi\r", {"1": "Siti", "2": "Budi"}),
        ("idperson,nama\r\n1,Siti\r2,Budi\n3,Ani", {"1": "Siti", "2": "Budi", "3": "Ani"}),
        ("\ufeff\ufeffidperson,nama\n1,Siti\n", {"1": "Siti"}),
        ('\ufeff\ufeff"idperson","nama, lengkap",nama\n1,x,Siti\n', {"1": "Siti"}),
        ("\ufeffsep=;\nidperson;nama\n1;Siti\n", {"1": "Siti"}),
        ("\ufeff\ufeffsep=|||\n\nidperson|nama\n1|Siti\n", {"1": "Siti"}),
        ("sep=;\nidperson,nama\n1,Siti\n", {"1": "Siti"}),
        ("\n \n;;\nidperson;nama\n1;Siti\n", {"1": "Siti"}),
        ('\r\n"",""\r\nidperson,nama\r\n1,Siti\r\n', {"1": "Siti"}),
        ("nama,idperson\n\nSiti,1\nBudi,2\x1a", {"1": "Siti", "2": "Budi"}),
        ("idperson,nama\n1,Siti\n\x1a\x1a\x00", {"1": "Siti"}),
        ("idperson,nama\n'0012,Siti\n", {"0012": "Siti"}),
        ('idperson; nama\n1; "Siti; S.Pd"\n', {"1": "Siti; S.Pd"}),
        ("idperson,nama\n12E3,Siti\n2021.01.007,Budi\n", {"12E3": "Siti", "2021.01.007": "Budi"}),
        ("idperson,nama,phone\n1,Siti,08\n2,Budi\n", {"1": "Siti", "2": "Budi"}),
        ("idperson,nama\n1,Siti,,\n2,Budi, ,\n", {"1": "Siti", "2": "Budi"}),
        ("sep=;\r\nidperson;nama\r\n0012;Siti\r\n", {"0012": "Siti"}),
        ("SEP=\t\nidperson\tnama\n1\tA, B; C\n", {"1": "A, B; C"}),
        ('idperson;nama;"a, b, c, d"\n1;Siti;x\n', {"1": "Siti"}),
        ("\u200bidperson,\ufeff nama \u2060\n1,Siti\n", {"1": "Siti"}),
        ("idperson,nama\n1,Siti\n , \n\u00a0,\u200b\n", {"1": "Siti"}),
        ("idperson\tnama\n0012\tSiti\n", {"0012": "Siti"}),
        ("idperson|nama\n0012|Siti\n", {"0012": "Siti"}),
        ("idperson,nama\r\n1,Siti\r\n\x1a", {"1": "Siti"}),
        ('idperson,nama\n"=""0012""",Siti\n="0013",Budi\n', {"0012": "Siti", "0013": "Budi"}),
        ("idperson,nama\n1,Siti\n1,Siti\n", {"1": "Siti"}),
    ],
)
def test_unusual_but_readable_files_are_imported(
    load: Import, content: str, students: dict[str, str]
) -> None:
    assert load(content).total == len(students)
    assert stored() == students


def test_a_heading_may_have_several_lines(load: Import) -> None:
    load('idperson,nama,"Kelas\nFormal",phone\n1,Siti,7A,08\n')
    assert (one("1").kelas_formal, one("1").phone) == ("7A", "08")


def test_unprintable_characters_are_removed_from_names(load: Import) -> None:
    load("idperson,nama\n1,Siti\u200b\x00 Rahma\u202e\n")
    assert stored() == {"1": "Siti Rahma"}


@every_database
def test_a_file_of_several_batches_is_imported_or_refused_as_a_whole(load: Import) -> None:
    lines = [f"{n},Nama {n}" for n in range(2500)]
    assert load("\n".join(["idperson,nama", *lines])) == Imported(2500, 2500, 0, 0)
    lines[1700] = "1700,Ganti"
    assert load("\n".join(["idperson,nama", *lines])) == Imported(2500, 0, 1, 0)
    doubled = [*lines, "3,Ulang"]
    with pytest.raises(Invalid, match="Baris 2502: idperson 3 sudah ada di nomor 5"):
        load("\n".join(["idperson,nama", *doubled]))
    assert one("3").nama == "Nama 3"


def test_progress_is_reported_in_bytes_and_students(inside: Flask, tmp_path: Path) -> None:
    path = tmp_path / "siswa.csv"
    path.write_text("idperson,nama\n" + "".join(f"{n},Nama\n" for n in range(1500)))
    published: list[tuple[str, int, int]] = []
    importing.from_file(path, lambda *step: published.append(step))
    size = path.stat().st_size
    assert [step for step, *_ in published] == ["check"] * 3 + ["load"] * 3
    assert published[2] == ("check", size, size)
    assert published[-1] == ("load", 1500, 1500)


def test_a_pipe_can_be_imported(inside: Flask, tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=["idperson,nama\n1,Siti\n2,Budi\n"])
    writer.start()
    assert importing.from_file(path) == Imported(2, 2, 0, 0)
    writer.join()
    assert stored() == {"1": "Siti", "2": "Budi"}


@pytest.mark.parametrize("database_url", ["postgresql", "mariadb"], indirect=True)
def test_an_import_survives_a_deadlock_with_a_sync(load: Import) -> None:
    load("idperson,nama\n1,Lama\n2,Lama\n")
    locked = threading.Event()

    def touch(connection: Connection, idperson: str) -> None:
        connection.execute(update(Siswa).where(Siswa.idperson == idperson).values(saldo=1))

    def sync(engine: Engine) -> None:
        with suppress(OperationalError), engine.begin() as connection:
            touch(connection, "2")
            locked.set()
            wait_until(lambda: locks_waited_for(engine) > 0)
            touch(connection, "1")

    other = threading.Thread(target=sync, args=[db.engine])
    other.start()
    assert locked.wait(10)
    assert load("idperson,nama\n1,Baru\n2,Baru\n") == Imported(2, 0, 2, 0)
    other.join()
    assert stored() == {"1": "Baru", "2": "Baru"}


def locks_waited_for(engine: Engine) -> int:
    """Return how many transactions of the server wait for a lock."""
    queries = {
        "postgresql": "SELECT count(*) FROM pg_locks WHERE NOT granted",
        "mysql": "SELECT variable_value FROM information_schema.global_status"
        " WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS'",
    }
    with engine.connect() as connection:
        return int(connection.scalar(text(queries[engine.dialect.name])) or 0)


@pytest.fixture
def api(simulator: Simulator, settings: dict[str, str]) -> Simulator:
    settings["PEMBAYARAN_API_URL"] = simulator.url
    return simulator


@every_database
def test_an_import_from_the_api_deactivates_missing_students(api: Simulator, load: Import) -> None:
    load("idperson,nama\nX1,Lama\n100001,Ganti\n")
    assert importing.from_api(accept=True) == Imported(200, 199, 1, 1)
    assert one("100002").unit_formal
    assert not one("X1").active
    load("idperson,nama\nX1,Lama\n")
    assert one("X1").active
    api.set(students=150)
    assert importing.from_api(accept=True) == Imported(150, 0, 0, 51)


def roster(*students: object) -> str:
    return json.dumps({"data": students})


@pytest.mark.parametrize(
    ("answer", "code", "word"),
    [
        ({"body": "<html>Halo</html>"}, "invalid_body", "bukan JSON"),
        ({"body": "null"}, "invalid_body", "bukan objek"),
        ({"body": '{"data": {}}'}, "invalid_body", "tidak ada daftar objek"),
        ({"body": '{"data": [1]}'}, "invalid_body", "tidak ada daftar objek"),
        ({"body": '{"data": []}'}, "no_students", "tanpa satu siswa"),
        ({"status": 401}, "unauthorized", "PEMBAYARAN_API_TOKEN"),
        ({"status": 500}, "bad_status", "500"),
        ({"status": 302, "headers": {"Location": "/siswa2"}}, "bad_status", "302"),
        ({"body": roster({"idperson": 1})}, "bad_row", "Siswa ke-1 dari API pembayaran (1): nama"),
        ({"body": roster({"idperson": "1", "nama": ["a"]})}, "bad_row", "nama bukan teks"),
        ({"body": roster({"idperson": True, "nama": "a"})}, "bad_row", "idperson bukan teks"),
        (
            {"body": roster({"idperson": 1, "nama": "a"}, {"idperson": "1", "nama": "b"})},
            "bad_row",
            "Siswa ke-2 dari API pembayaran (b, 1): idperson 1 sudah ada di nomor 1",
        ),
    ],
)
def test_a_bad_roster_changes_nothing(
    api: Simulator, load: Import, answer: dict[str, object], code: str, word: str
) -> None:
    load("idperson,nama\n0,Lama\n")
    api.set(override={"/siswa": answer})
    with pytest.raises(DomainError) as caught:
        importing.from_api()
    assert caught.value.code == code
    assert word in str(caught.value)
    assert stored() == {"0": "Lama"}
    assert one("0").active


@pytest.fixture
def filled_api(api: Simulator, load: Import) -> Simulator:
    """The API, after all of its 200 students were imported."""
    importing.from_api()
    return api


def active() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Siswa.active)) or 0


FEW = [{"idperson": f"{100001 + n}", "nama": f"Ganti {n}"} for n in range(5)]


@pytest.mark.parametrize(
    ("beside", "headers"),
    [
        ({"meta": {"current_page": 1, "last_page": 12, "total": 60}}, {}),
        ({"links": {"next": "/siswa?page=2"}}, {}),
        ({"next_page_url": "/siswa?page=2"}, {}),
        ({"total": 200}, {}),
        ({"pagination": {"totalPages": "12"}}, {}),
        ({"_links": {"next": {"href": "/siswa?page=2"}}}, {}),
        ({"links": [{"rel": "next", "href": "/siswa?page=2"}]}, {}),
        ({"has_more": True}, {}),
        ({"page": {"nextCursor": "abc"}}, {}),
        ({"next": "http://127.0.0.1/siswa?offset=5", "count": 200}, {}),
        ({}, {"Link": '</siswa?page=2>; rel="next", </siswa?page=9>; rel="last"'}),
        ({}, {"X-Total-Count": "200"}),
        ({}, {"Content-Range": "siswa 0-4/200"}),
        ({}, {"Content-Range": "0-4/200"}),
        ({}, {"X-WP-TotalPages": "2"}),
        ({}, {"Total-Count": "200"}),
        ({"total": 200.0}, {}),
        ({"jumlah_siswa": 200}, {}),
        ({"halaman": 1, "total_halaman": 2}, {}),
        ({"page": {"last": False}}, {}),
        ({"is_last_page": False}, {}),
        ({"truncated": True}, {}),
        ({"success": False, "message": "sebagian"}, {}),
        ({"status": "error"}, {}),
        ({"errors": ["sebagian"]}, {}),
    ],
)
def test_a_roster_that_may_be_incomplete_is_refused(
    filled_api: Simulator, beside: dict[str, object], headers: dict[str, str]
) -> None:
    before = stored()
    body = json.dumps({"data": FEW, **beside})
    filled_api.set(override={"/siswa": {"body": body, "headers": headers}})
    with pytest.raises(Unavailable) as caught:
        importing.from_api(accept=True)
    assert caught.value.code == "invalid_body"
    assert (stored(), active()) == (before, 200)


def test_a_roster_that_states_it_is_complete_is_loaded(filled_api: Simulator) -> None:
    whole = {"current_page": 1, "last_page": 1, "total": 5, "next_page_url": None}
    links = {"links": {"next": None, "last": "/siswa?page=1"}, "success": True}
    links |= {"last": True, "complete": True, "truncated": False, "halaman": 1}
    body = json.dumps({"data": FEW, "meta": whole, **links})
    last = {"Link": '</siswa?page=1>; rel="last"', "X-Total-Count": "5"}
    filled_api.set(override={"/siswa": {"body": body, "headers": last}})
    assert importing.from_api(accept=True).deactivated == 195


@every_database
def test_many_students_become_inactive_only_if_accepted(filled_api: Simulator) -> None:
    filled_api.set(students=159)
    before = stored()
    with pytest.raises(Conflict) as caught:
        importing.from_api()
    words = str(caught.value)
    assert words.startswith("41 dari 200 siswa aktif tidak ada di dalamnya")
    assert words.count("(1") == 10  # as many are named, each as "Nama (1…)"
    assert (stored(), active()) == (before, 200)
    assert importing.from_api(accept=True).deactivated == 41


def test_a_fifth_may_become_inactive_and_without_a_guard_everybody(
    filled_api: Simulator, inside: Flask
) -> None:
    filled_api.set(students=160)
    assert importing.from_api().deactivated == 40
    inside.config["GUARD_SHARE"] = 0
    filled_api.set(students=1)
    assert importing.from_api().deactivated == 159


def test_a_file_deactivates_nobody(filled_api: Simulator, load: Import) -> None:
    load("idperson,nama\n1,Siti\n")
    assert active() == 201


def test_a_wrong_field_leaves_out_only_its_student(filled_api: Simulator) -> None:
    wrong = [
        {"idperson": "100001", "nama": "Ganti", "phone": "0" * 33},
        {"idperson": "100002", "nama": "Satu"},
        {"idperson": "100002", "nama": "Dua"},
        {"idperson": "neu", "nama": ["Baru"]},
    ]
    rest = [{"idperson": f"{100003 + n}", "nama": "Ganti"} for n in range(198)]
    before = stored()
    filled_api.set(override={"/siswa": {"body": roster(*wrong, *rest)}})
    done = importing.from_api()
    assert done[:4] == (198, 0, 198, 0)
    assert [str(problem).partition(": ")[0] for problem in done.left_out] == [
        "Siswa ke-1 dari API pembayaran (Ganti, 100001)",
        "Siswa ke-3 dari API pembayaran (Dua, 100002)",
        "Siswa ke-4 dari API pembayaran (['Baru'], neu)",
    ]
    assert "phone lebih dari 32" in str(done.left_out[0])
    now = stored()
    assert [now[i] for i in ("100001", "100002")] == [before[i] for i in ("100001", "100002")]
    assert active() == 200


def test_a_roster_with_a_row_without_an_id_deactivates_nobody(filled_api: Simulator) -> None:
    students = [{"idperson": f"{100001 + n}", "nama": "Ganti"} for n in range(190)]
    filled_api.set(override={"/siswa": {"body": roster({"nama": "Siapa"}, *students)}})
    done = importing.from_api()
    assert (done.total, done.deactivated, active()) == (190, 0, 200)
    assert "tidak ada yang menjadi nonaktif" in str(done.warning)
    assert len(done.left_out) == 1


def test_an_identical_second_row_is_ignored(api: Simulator, inside: Flask) -> None:
    twice = [{"idperson": 7, "nama": "Siti "}, {"nama": "Siti", "idperson": "7"}]
    api.set(override={"/siswa": {"body": roster(*twice)}})
    assert importing.from_api() == Imported(1, 1, 0, 0)


def test_json_is_utf_8_whatever_its_header_says(api: Simulator, inside: Flask) -> None:
    body = "\ufeff" + json.dumps(
        {"data": [{"idperson": "1  ", "nama": "Ren\u00e9e"}]}, ensure_ascii=False
    )
    api.set(override={"/siswa": {"body": body, "headers": {"Content-Type": "text/html"}}})
    importing.from_api()
    assert stored() == {"1": "Ren\u00e9e"}


def test_a_roster_that_arrives_too_slowly_times_out(
    inside: Flask, settings: dict[str, str]
) -> None:
    inside.config["PEMBAYARAN_API_TIMEOUT"] = 0.5
    with RawApi({"": raw(roster(*FEW))}, drip=0.05) as slow:
        inside.config["PEMBAYARAN_API_URL"] = slow.url
        with pytest.raises(Unavailable, match=r"tidak menjawab dalam 0\.5 detik"):
            importing.from_api()


def test_a_slow_or_unreachable_api_is_refused_with_its_reason(
    api: Simulator, inside: Flask
) -> None:
    inside.config["PEMBAYARAN_API_TIMEOUT"] = 0.5
    api.set(latency_ms="2000")
    with pytest.raises(Unavailable, match=r"tidak menjawab dalam 0\.5 detik"):
        importing.from_api()
    api.stop()
    with pytest.raises(
        Unavailable, match=r"tidak bisa dihubungi \(sambungan ditolak, atau servernya mati\)"
    ):
        importing.from_api()


@pytest.mark.parametrize("token", ["", "rahasia"])
def test_the_token_is_sent_with_the_request(
    api: Simulator, settings: dict[str, str], request: pytest.FixtureRequest, token: str
) -> None:
    settings["PEMBAYARAN_API_TOKEN"] = token
    api.set(token="rahasia")
    app = request.getfixturevalue("app")
    with app.app_context():
        if token:
            assert importing.from_api().total == 200
        else:
            with pytest.raises(Unavailable, match="menolak token"):
                importing.from_api()


def test_each_repeated_row_names_the_number_of_the_first(filled_api: Simulator) -> None:
    names = ["Satu", "Dua", "Tiga"]
    rows = [{"idperson": "100001", "nama": name} for name in names]
    others = [{"idperson": f"{100002 + n}", "nama": f"Nama {n}"} for n in range(199)]
    body = json.dumps({"data": rows + others})
    filled_api.set(override={"/siswa": {"body": body}})
    problems = [str(line) for line in importing.from_api().left_out]
    assert [line.split(": ", 1)[1] for line in problems] == [
        "idperson 100001 sudah ada di nomor 1."
    ] * 2
