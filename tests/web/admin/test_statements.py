"""Statements of one student and of a whole class, in the reader's language."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.domain.siswa import statements
from myukm.models import Siswa

ClientAs = Callable[[str], FlaskClient]
ALL = "/admin/tunggakan/statements"


@pytest.fixture
def students(app: Flask) -> None:
    owing = {"status": "tunggakan", "tunggakan": 350_000, "lebih_bayar": 0, "pembayaran": []}
    with app.app_context(), transaction() as session:
        for n, kelas in ((1, "VII A"), (2, "VII A"), (3, "VIII")):
            session.add(Siswa(idperson=f"S/{n}", nama=f"Nama <{n}>", kelas_formal=kelas, **owing))
        session.add(Siswa(idperson="baru", nama="Baru", kelas_formal="IX"))


@pytest.mark.usefixtures("students")
def test_operators_may_open_one_statement_but_not_all_at_once(client_as: ClientAs) -> None:
    own = f"{ALL}/S%2F1"
    for who, one, every in (
        ("bendahara", 200, 200),
        ("operator", 200, 403),
        ("member", 403, 403),
        ("nobody", 302, 302),
    ):
        client = client_as(who)
        assert client.get(own).status_code == one, who
        assert client.get(ALL).status_code == every, who
    assert client_as("admin").get(f"{ALL}/tidak-ada").status_code == 404


@pytest.mark.usefixtures("students")
def test_the_page_of_a_student_links_to_the_statement(client_as: ClientAs) -> None:
    client = client_as("bendahara")
    address = f"{ALL}/S%2F1"
    assert f'href="{address}"' in client.get("/admin/siswa/S%2F1").text
    page = client.get(address).text
    assert "Nama &lt;1&gt;" in page
    assert "tiga ratus lima puluh ribu rupiah" in page
    client.post("/language", data={"lang": "en", "next": "/"})
    assert "three hundred fifty thousand rupiah" in client.get(address).text


@pytest.mark.usefixtures("students")
def test_one_page_has_all_statements_of_a_class(
    client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_as("admin")
    page = client.get(f"{ALL}?kelas=VII+A").text
    assert page.count("<article") == 2
    assert 'href="/admin/tunggakan?kelas=VII+A"' in page
    assert "belum pernah disinkronkan" in client.get(f"{ALL}?kelas=IX").text
    assert "Tidak ada siswa yang cocok" in client.get(f"{ALL}?kelas=X").text
    monkeypatch.setattr(statements, "MAX_AT_ONCE", 2)
    assert client.get(f"{ALL}?kelas=VII+A").status_code == 200
    refused = client.get(ALL)
    assert refused.status_code == 422
    assert "4 siswa terlalu banyak" in refused.text
