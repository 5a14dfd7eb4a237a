"""One's own bills: a linked account sees the bills of its own student only."""

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.accounts import accounts, invitations
from myukm.domain.actor import Actor
from myukm.domain.roster import imports, work
from myukm.domain.siswa import links
from myukm.errors import Conflict, NotFound
from myukm.extensions import db
from myukm.models import Activity, PaymentChange, Siswa, StudentCode, User
from tests.conftest import every_database
from tests.support.people import NAMES, PASSWORD

ClientAs = Callable[[str], FlaskClient]
PAGE, SCRIPT = "/saya/tagihan", {"Accept": "application/json"}
SUMS = {"total_billed": 400, "total_paid": 150, "total_remaining": 250}


@pytest.fixture
def students(app: Flask) -> None:
    """Two students with bills, S1 and S/2."""
    with app.app_context(), transaction() as session:
        for idperson, name in (("S1", "Mega Lestari"), ("S/2", "Orang Lain")):
            item = {"unit_name": f"Juli {name}", "amount_billed": 400, "amount_paid": 150}
            item["remaining_balance"] = 250
            spp = {"category_name": "SPP", "summary": SUMS, "items": [item]}
            period = {"period_id": "20252026", "kelas_info": "X", "summary": SUMS}
            one = Siswa(idperson=idperson, nama=name, pembayaran=[{**period, "categories": [spp]}])
            one.synced_at, one.status = utcnow(), "tunggakan"
            one.tunggakan, one.lebih_bayar = Decimal(250), Decimal(0)
            session.add(one)
            change = {"period_id": "20252026", "field": f"SPP/Juli {name}/amount_paid"}
            session.add(PaymentChange(idperson=idperson, old="0", new="150", **change))


def code_for(client: FlaskClient, idperson: str = "S1") -> str:
    path = f"/admin/siswa/{idperson.replace('/', '%2F')}/code"
    return str(client.post(path, headers=SCRIPT).get_json()["code"])


def redeem(client: FlaskClient, code: str):
    return client.post("/saya/hubungkan", json={"code": code})


@pytest.fixture
def linked(students: None, client_as: ClientAs) -> FlaskClient:
    """The member, whose account is linked to S1."""
    member = client_as("member")
    assert redeem(member, code_for(client_as("bendahara"))).status_code == 200
    return member


def test_without_a_link_the_page_is_404_for_every_role(students: None, client_as: ClientAs) -> None:
    for who in ("admin", "bendahara", "operator", "member"):
        assert client_as(who).get(PAGE).status_code == 404
        assert client_as(who).get(PAGE, headers=SCRIPT).status_code == 404
        assert PAGE not in client_as(who).get("/ukm").text
    assert client_as("nobody").get(PAGE).location.startswith("/login")
    assert client_as("nobody").get(PAGE, headers=SCRIPT).status_code == 401


@pytest.mark.parametrize("who", ["admin", "bendahara", "operator", "member"])
def test_a_linked_account_sees_only_its_student(
    students: None, client_as: ClientAs, who: str
) -> None:
    client = client_as(who)
    assert redeem(client, code_for(client_as("admin"))).get_json() == {
        "idperson": "S1",
        "nama": "Mega Lestari",
    }
    for query in ("", "?idperson=S%2F2", "?page=1&id=2&siswa_id=2&user_id=1"):
        page = client.get(PAGE + query)
        assert page.status_code == 200
        assert page.headers["Cache-Control"] == "no-store"
        assert "Mega Lestari" in page.text
        assert "Orang Lain" not in page.text
    own = client.get(PAGE, headers={**SCRIPT, "X-Idperson": "S/2"}).get_json()
    assert (own["idperson"], own["tunggakan"], len(own["changes"])) == ("S1", "250.00", 1)
    assert "Orang Lain" not in json.dumps(own)
    assert f'href="{PAGE}"' in client.get("/ukm").text
    for path in ("/saya/tagihan/S1", "/saya/tagihan/S%2F2", "/saya/tagihan/2", "/saya/"):
        assert client.get(path).status_code == 404
    for other in {"admin", "bendahara", "operator", "member", "friend"} - {who}:
        assert client_as(other).get(PAGE).status_code == 404


def test_a_script_that_reads_page_after_page_finds_the_last(linked: FlaskClient) -> None:
    beyond = linked.get(f"{PAGE}?page=9", headers=SCRIPT).get_json()
    assert (beyond["page"], beyond["pages"], beyond["total"]) == (1, 1, 1)


def test_a_member_who_is_linked_gets_no_other_rights(linked: FlaskClient) -> None:
    for path in ("/admin/siswa", "/admin/siswa/S1", "/admin/tunggakan", "/admin/impor-siswa"):
        assert linked.get(path).status_code == 403
    for action in ("code", "unlink", "sync"):
        assert linked.post(f"/admin/siswa/S1/{action}").status_code == 403


@pytest.mark.parametrize("action", ["code", "unlink"])
def test_only_admins_and_treasurers_make_codes_and_unlink(
    students: None, client_as: ClientAs, action: str
) -> None:
    for who, status in (("operator", 403), ("member", 403), ("nobody", 401)):
        assert client_as(who).post(f"/admin/siswa/S1/{action}").status_code == status
    assert client_as("admin").post(f"/admin/siswa/S9/{action}").status_code == 404
    assert "Akun siswa" not in client_as("operator").get("/admin/siswa/S1").text


def test_a_code_is_shown_once_works_once_and_is_stored_as_a_digest(
    app: Flask, students: None, client_as: ClientAs
) -> None:
    first = code_for(client_as("bendahara"))
    page = client_as("bendahara").post("/admin/siswa/S1/code").text
    code = page.split("Kode penghubung: ")[1][:14]
    assert code not in client_as("bendahara").get("/admin/siswa/S1").text
    with app.app_context():
        assert code not in str(db.session.scalars(select(StudentCode.code_hash)).all())
    member, friend = client_as("member"), client_as("friend")
    assert redeem(member, first).status_code == 403
    assert redeem(member, f" {code.lower()} ").status_code == 200
    assert redeem(friend, code).get_json()["error"]["code"] == "wrong_code"
    assert redeem(member, code).get_json()["error"]["code"] == "already_linked"
    again = client_as("admin").post("/admin/siswa/S1/code", headers=SCRIPT)
    assert (again.status_code, again.get_json()["error"]["code"]) == (409, "already_linked")
    with app.app_context():
        actions = list(db.session.scalars(select(Activity.action).order_by(Activity.id)))
    assert actions == ["siswa.link_code", "siswa.link_code", "siswa.link"]


def test_an_expired_code_is_refused(app: Flask, students: None, client_as: ClientAs) -> None:
    code = code_for(client_as("admin"))
    with app.app_context(), transaction() as session:
        old = utcnow() - StudentCode.MAX_AGE - timedelta(seconds=1)
        session.execute(update(StudentCode).values(created_at=old))
    assert redeem(client_as("member"), code).status_code == 403


def test_guessing_codes_is_rate_limited(students: None, client_as: ClientAs) -> None:
    code, member = code_for(client_as("admin")), client_as("member")
    answers = [redeem(member, f"AAAA-AAAA-AAA{n}").status_code for n in range(2, 13)]
    assert answers == [403] * 10 + [429]
    assert redeem(member, code).status_code == 429
    page = member.post("/saya/hubungkan", data={"code": "x"})
    assert page.status_code == 429


def test_a_refused_form_says_why_on_the_profile(students: None, client_as: ClientAs) -> None:
    page = client_as("member").post("/saya/hubungkan", data={"code": "salah"})
    assert page.status_code == 403
    assert "Minta kode baru kepada bendahara" in page.text


@every_database
def test_a_linked_student_gets_no_new_code(
    app: Flask, students: None, people: dict[str, int]
) -> None:
    with app.app_context():
        student = db.session.scalars(select(Siswa).where(Siswa.idperson == "S1")).one()
        code = links.create_code(student, Actor("Budi"))
        links.redeem(db.session.get_one(User, people["member"]), code)
        with pytest.raises(Conflict):
            links.create_code(student, Actor("Budi"))


def test_an_account_deleted_meanwhile_spends_no_code(
    app: Flask, students: None, people: dict[str, int]
) -> None:
    """Another tab may delete it after this request has checked its session."""
    with app.app_context():
        student = db.session.scalars(select(Siswa).where(Siswa.idperson == "S1")).one()
        code = links.create_code(student, Actor("Budi"))
        account = db.session.get_one(User, people["member"])
        with transaction():
            account.deleted_at = utcnow()
        with pytest.raises(NotFound):
            links.redeem(account, code)
        assert links.open_code("S1")
        assert links.account_of("S1") is None


def test_after_unlinking_the_page_is_gone(
    app: Flask, linked: FlaskClient, client_as: ClientAs
) -> None:
    assert "Mega Lestari" in client_as("bendahara").get("/admin/siswa/S1").text
    assert client_as("bendahara").post("/admin/siswa/S1/unlink").status_code == 303
    assert linked.get(PAGE).status_code == 404
    assert client_as("bendahara").post("/admin/siswa/S1/unlink").status_code == 404
    with app.app_context():
        last = db.session.scalars(select(Activity).order_by(Activity.id.desc())).first()
        assert last
        assert (last.action, last.actor_name) == ("siswa.unlink", "Budi Santoso")


def test_without_the_student_the_page_is_404(app: Flask, linked: FlaskClient) -> None:
    with app.app_context(), transaction() as session:
        session.query(Siswa).filter_by(idperson="S1").delete()
        session.add(Siswa(idperson="S3", nama="Baru"))
    assert linked.get(PAGE).status_code == 404


def test_the_student_of_a_deleted_account_can_be_linked_again(
    linked: FlaskClient, client_as: ClientAs
) -> None:
    linked.post("/profile/delete", json={"password": PASSWORD})
    assert linked.get(PAGE, headers=SCRIPT).status_code == 401
    assert redeem(client_as("friend"), code_for(client_as("admin"))).status_code == 200


def test_the_data_export_has_the_linked_student(linked: FlaskClient, client_as: ClientAs) -> None:
    own = json.loads(linked.get("/profile/data").data)["student"]
    assert (own["idperson"], own["linked_by"], len(own["pembayaran"])) == ("S1", "code", 1)
    assert json.loads(client_as("friend").get("/profile/data").data)["student"] is None


def test_the_page_of_a_student_without_data_says_so(app: Flask, linked: FlaskClient) -> None:
    with app.app_context(), transaction() as session:
        empty = {"pembayaran": None, "synced_at": None, "tunggakan": None}
        session.execute(update(Siswa).values(**empty))
    assert "belum diambil" in linked.get(PAGE).text


class TestNim:
    """The column `nim` of an import."""

    MEMBER = NAMES["member"][0]

    def load(self, app: Flask, people: dict[str, int], text: str, who: str = "admin") -> int:
        with app.app_context():
            by = Actor.of(db.session.get_one(User, people[who]))
            one = imports.upload(by, io.BytesIO(text.encode()), "x.csv", whole=False)
            work.advance(one.id)
            imports.start_apply(one, one.plan, accept=False)
            work.advance(one.id)
            assert one.status == "applied", one.error
            return one.id

    def undo(self, app: Flask, import_id: int) -> None:
        with app.app_context():
            one = imports.find(import_id, 0)
            imports.start_undo(one, Actor("Siti"))
            work.advance(import_id)
            assert one.status == "undone", one.error

    def linked(self, app: Flask) -> dict[str, str]:
        with app.app_context():
            query = select(User.nim, User.idperson).where(User.idperson.is_not(None))
            return dict(db.session.execute(query).all())

    @every_database
    def test_the_import_of_an_admin_links_accounts(
        self, app: Flask, people: dict[str, int]
    ) -> None:
        one = self.load(app, people, f"idperson,nama,NIM\n7,Mega,{self.MEMBER}\n8,Lain,\n")
        assert self.linked(app) == {self.MEMBER: "7"}
        other = self.load(app, people, "idperson,nama,nim\n7,Mega,\n")
        assert self.linked(app) == {}
        self.undo(app, other)
        assert self.linked(app) == {self.MEMBER: "7"}
        self.undo(app, one)
        assert self.linked(app) == {}

    def test_the_import_of_a_treasurer_links_no_account(
        self, app: Flask, people: dict[str, int]
    ) -> None:
        self.load(app, people, f"idperson,nama,nim\n7,Mega,{self.MEMBER}\n", "bendahara")
        assert self.linked(app) == {}

    def test_a_nim_of_two_students_links_nobody(self, app: Flask, people: dict[str, int]) -> None:
        text = f"idperson,nama,nim\n7,Mega,{self.MEMBER}\n8,Lain,{self.MEMBER}\n"
        self.load(app, people, text)
        assert self.linked(app) == {}

    def test_an_account_created_after_the_import_is_linked(
        self, app: Flask, people: dict[str, int]
    ) -> None:
        self.load(app, people, "idperson,nama,nim\n7,Ani,555\n")
        with app.app_context():
            code = invitations.invite(Actor("Siti", people["admin"]), "555", "Ani", "anggota")
            invitations.register("555", code, "kata-sandi-baru")
        assert self.linked(app) == {"555": "7"}

    def test_with_open_registration_an_import_links_no_account(
        self, app: Flask, people: dict[str, int]
    ) -> None:
        app.config["REGISTRATION"] = "open"
        self.load(app, people, f"idperson,nama,nim\n7,Mega,{self.MEMBER}\n8,Ani,555\n")
        with app.app_context():
            accounts.create("555", "Penyusup", "anggota", "kata-sandi-baru", by=None)
        assert self.linked(app) == {}

    def test_an_import_does_not_replace_a_link_by_code(
        self, app: Flask, people: dict[str, int], linked: FlaskClient
    ) -> None:
        self.load(app, people, f"idperson,nama,nim\n7,Lain,{self.MEMBER}\n")
        assert self.linked(app) == {self.MEMBER: "S1"}

    def test_an_undo_does_not_delete_a_student_who_was_linked_since(
        self, app: Flask, people: dict[str, int], client_as: ClientAs
    ) -> None:
        one = self.load(app, people, "idperson,nama\n7,Mega\n")
        redeem(client_as("member"), code_for(client_as("admin"), "7"))
        with app.app_context():
            found = imports.find(one, 0)
            imports.start_undo(found, Actor("Siti"))
            work.advance(one)
            assert "Tidak bisa dibatalkan" in (found.error or "")
        assert client_as("member").get(PAGE).status_code == 200


@every_database
def test_a_code_redeemed_while_an_import_links_by_nim_keeps_its_link(
    students: None, app: Flask, people: dict[str, int]
) -> None:
    def link_by_nim() -> None:
        with app.app_context(), transaction() as session:
            links.follow_nims(session, {"2024001"}, Actor("Siti"))

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            session.execute(update(Siswa).where(Siswa.idperson == "S/2").values(nim="2024001"))
            student = session.scalars(select(Siswa).where(Siswa.idperson == "S1")).one()
        code = links.create_code(student, Actor("Siti"))
        with transaction() as session:
            links.redeem(session.get_one(User, people["member"]), code)
            meanwhile = pool.submit(link_by_nim)
            with pytest.raises(TimeoutError):
                meanwhile.result(timeout=0.5)
        meanwhile.result()
        linked = select(User.idperson, User.linked_by).where(User.id == people["member"])
        assert db.session.execute(linked).one() == ("S1", links.CODE)
