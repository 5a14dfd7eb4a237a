"""Forms: a notice shows their effect once, with an undo; the URL of a refused form has a page."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.db.types import to_iso8601
from myukm.domain.paging import PER_PAGE
from myukm.extensions import db
from myukm.models import Invitation, Membership, Role, UkmBlock, User
from myukm.web.admin.audit_sentences import SENTENCES
from tests.support.people import UKM
from tests.support.programs import ROOT

ClientAs = Callable[[str], FlaskClient]


@pytest.fixture
def officer(client_as: ClientAs, people: dict[str, int], app: Flask) -> FlaskClient:
    """A browser of the member, who is the only officer of the UKM."""
    with app.app_context(), transaction() as session:
        session.query(Membership).filter_by(user_id=people["member"]).update({"is_admin": True})
    return client_as("member")


def notice_of(client: FlaskClient, page: str) -> str:
    """Return the notice of the page, which must be shown once."""
    shown, again = client.get(page).text, client.get(page).text
    assert 'notice tone-good" role="status"' not in again
    return shown.partition('notice tone-good" role="status"')[2].partition("</strong>")[0]


def undo(client: FlaskClient, page: str) -> None:
    """Press the button that undoes what the notice reports."""
    form = client.get(page).text.partition('notice tone-good" role="status"')[2]
    action = form.partition('action="')[2].partition('"')[0]
    fields = {}
    for field in form.partition("</form>")[0].split('<input type="hidden" name="')[1:]:
        name, _, rest = field.partition('" value="')
        fields[name] = rest.partition('"')[0]
    assert client.post(action, data=fields).status_code == 303


def test_a_change_of_role_shows_a_notice_and_is_undone(
    client_as: ClientAs, people: dict[str, int], app: Flask
) -> None:
    admin, member = client_as("admin"), people["member"]
    answer = admin.post(f"/admin/users/{member}/role", data={"role": "operator"})
    assert "Mega Lestari sekarang operator." in notice_of(admin, answer.location)
    admin.post(f"/admin/users/{member}/role", data={"role": "bendahara"})
    undo(admin, answer.location)
    with app.app_context():
        assert db.session.get_one(User, member).role == "operator"


def test_a_block_shows_a_notice_and_is_undone(
    client_as: ClientAs, people: dict[str, int], app: Flask
) -> None:
    admin = client_as("admin")
    answer = admin.post(f"/admin/users/{people['member']}/block")
    undo(admin, answer.location)
    assert "tidak diblokir lagi" in notice_of(admin, answer.location)
    with app.app_context():
        assert not db.session.get_one(User, people["member"]).blocked_at


@pytest.mark.parametrize("block", ["", "1"])
def test_only_undo_takes_a_removed_member_back(
    officer: FlaskClient, people: dict[str, int], app: Flask, block: str
) -> None:
    friend = people["friend"]
    page = f"/ukm/{UKM}/members/{friend}"
    assert officer.post(f"{page}/take-back").status_code == 409
    answer = officer.post(f"{page}/remove", data={"block": block} if block else {})
    undo(officer, answer.location)
    assert "anggota lagi" in notice_of(officer, answer.location)
    with app.app_context():
        back = db.session.query(Membership).filter_by(user_id=friend).count()
        assert (back, db.session.query(UkmBlock).count()) == (1, 0)
    assert officer.post(f"{page}/take-back").status_code == 409


def test_ranks_and_mutes_show_a_notice_and_are_undone(
    officer: FlaskClient, people: dict[str, int]
) -> None:
    page = f"/ukm/{UKM}/members/{people['friend']}"
    officer.post(f"{page}/promote")
    undo(officer, page)
    assert "bukan pengurus lagi" in notice_of(officer, page)
    officer.post(f"{page}/mute", data={"for": "1h"})
    undo(officer, page)
    assert "boleh menulis lagi" in notice_of(officer, page)


def test_undoing_a_second_mute_leaves_the_first(
    app: Flask, officer: FlaskClient, people: dict[str, int]
) -> None:
    page = f"/ukm/{UKM}/members/{people['friend']}"
    first = officer.post(f"{page}/mute", json={"for": "7d"}).get_json()["muted_until"]
    officer.post(f"{page}/mute", data={"for": "1h"})
    undo(officer, page)
    with app.app_context():
        muted = db.session.query(Membership).filter_by(user_id=people["friend"]).one()
        assert to_iso8601(muted.muted_until) == first


def test_promoting_a_muted_member_offers_no_undo(
    officer: FlaskClient, people: dict[str, int]
) -> None:
    page = f"/ukm/{UKM}/members/{people['friend']}"
    officer.post(f"{page}/mute", json={"for": "7d"})
    officer.post(f"{page}/promote")
    shown = officer.get(page).text
    assert "sekarang pengurus" in shown
    assert "Urungkan" not in shown


def test_a_refused_change_shows_its_error_on_the_same_page(
    officer: FlaskClient, people: dict[str, int]
) -> None:
    own = f"/ukm/{UKM}/members/{people['member']}"
    for change in ("demote", "remove"):
        answer = officer.post(f"{own}/{change}")
        assert answer.status_code == 409
        assert 'role="alert"' in answer.text
        assert 'id="rank-title"' in answer.text
    assert "/remove" not in officer.get(own).text


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/profile/password", "/profile"),
        ("/profile/photo", "/profile"),
        ("/profile/delete", "/profile"),
        ("/admin/users/invitations", "/admin/users"),
        ("/admin/users/1/role", "/admin/users"),
        ("/admin/users/1/reset-code", "/admin/users"),
        (f"/ukm/{UKM}/edit", f"/ukm/{UKM}/manage"),
        (f"/ukm/{UKM}/members/1/mute", f"/ukm/{UKM}/members/1"),
        (f"/admin/ukm/{UKM}/archive", f"/admin/ukm/{UKM}/manage"),
        ("/admin/sync-pembayaran/start", "/admin/sync-pembayaran"),
        ("/ukm/join", "/ukm"),
        ("/logout", "/"),
    ],
)
def test_the_url_of_a_form_redirects_to_the_forms_page(
    client_as: ClientAs, path: str, page: str
) -> None:
    client = client_as("admin")
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (302, page)
    script = client.get(path, headers={"Accept": "application/json"})
    assert script.status_code == 405
    language = client.post("/language", data={"lang": "en", "next": path}, follow_redirects=True)
    assert language.status_code in (200, 404)


def test_a_form_sent_without_a_session_gets_the_log_in_form(client_as: ClientAs) -> None:
    answer = client_as("nobody").post("/profile/password", data={"old": "a", "new": "b"})
    assert answer.status_code == 401
    assert 'action="/login?next=%2Fprofile"' in answer.text or "next=/profile" in answer.text


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("member", "/admin/users", 403),
        ("member", "/tidak-ada", 404),
        ("admin", "/admin/siswa/tidak-ada", 404),
    ],
)
def test_an_error_page_keeps_the_navigation(
    client_as: ClientAs, who: str, path: str, status: int
) -> None:
    answer = client_as(who).get(path)
    assert answer.status_code == status
    assert 'id="menu"' in answer.text
    stranger = client_as("nobody").get("/tidak-ada")
    assert (stranger.status_code, 'id="menu"' in stranger.text) == (404, False)


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/ukm", "UKM"),
        ("/ukm/ROBOTIK/chat", "UKM"),
        ("/admin/antrian/gagal", "Antrian"),
        ("/admin/tunggakan/berkas", "Tunggakan"),
        ("/admin/impor-siswa", "Siswa"),
        ("/profile", "Profil"),
    ],
)
def test_the_navigation_marks_one_entry(client_as: ClientAs, path: str, marked: str) -> None:
    page = client_as("admin" if path.startswith("/admin") else "member").get(path).text
    menu = page[page.index("<nav") : page.index("</nav>")]
    assert re.findall(r'aria-current="page">.*?<span>(.*?)</span>', menu) == [marked]


def test_reloading_a_page_with_a_code_creates_no_second_code(
    client_as: ClientAs, app: Flask
) -> None:
    admin = client_as("admin")
    form = {"nim": "9900", "name": "Dewi Uji", "role": "anggota"}
    answer = admin.post("/admin/users/invitations", data=form)
    assert answer.status_code == 303
    shown = admin.get(answer.location).text
    code = shown.partition("Kode pendaftaran 9900: ")[2][:14]
    assert f'data-copy="{code}"' in shown
    assert code not in admin.get(answer.location).text
    new = {"nim": "9900", "code": code, "password": "kata-sandi-baru"}
    assert client_as("nobody").post("/register", json=new).status_code in (200, 201)


def test_open_invitations_are_listed_renewed_and_withdrawn(client_as: ClientAs, app: Flask) -> None:
    admin = client_as("admin")
    form = {"nim": "9901", "name": "Eka Uji", "role": "operator"}
    assert admin.post("/admin/users/invitations", data=form).status_code == 303
    first = admin.get("/admin/users").text
    assert "1 undangan terbuka" in first
    with app.app_context():
        number = db.session.query(Invitation).one().id
    renewed = admin.post(f"/admin/users/invitations/{number}/renew")
    assert "Kode pendaftaran 9901" in admin.get(renewed.location).text
    with app.app_context():
        number = db.session.query(Invitation).one().id
    assert (
        client_as("operator").post(f"/admin/users/invitations/{number}/withdraw").status_code == 403
    )
    gone = admin.post(f"/admin/users/invitations/{number}/withdraw")
    assert "Undangan Eka Uji (9901) ditarik." in notice_of(admin, gone.location)
    assert admin.post(f"/admin/users/invitations/{number}/renew").status_code == 404


def test_every_open_invitation_is_counted_and_found_by_its_name_or_nim(
    client_as: ClientAs, app: Flask
) -> None:
    with app.app_context(), transaction() as session:
        for n in range(PER_PAGE + 1):
            person = {"nim": f"88{n:04}", "name": f"Undangan {n:04}", "role": Role.ANGGOTA}
            session.add(Invitation(**person, code_hash="x"))
    admin = client_as("admin")
    page = admin.get("/admin/users").text
    assert f"{PER_PAGE + 1} undangan terbuka" in page
    assert f"{PER_PAGE} terbaru tampil di sini" in page
    assert "880000" not in page
    for q in ("880000", "0000"):
        found = admin.get(f"/admin/users?q={q}").text
        assert "1 undangan terbuka" in found
        assert "Undangan 0000" in found
        assert 'id="invite">' in found, "the form does not push the result down"


def test_a_refused_invitation_keeps_the_entered_values(client_as: ClientAs) -> None:
    form = {"nim": "2024001", "name": "Mega Dua", "role": "operator"}
    answer = client_as("admin").post("/admin/users/invitations", data=form)
    assert answer.status_code == 409
    assert 'value="Mega Dua"' in answer.text
    assert '<details class="panel invite" id="invite" open>' in answer.text
    assert '<option value="operator" selected>' in answer.text


def test_the_audit_log_shows_sentences(client_as: ClientAs, people: dict[str, int]) -> None:
    admin = client_as("admin")
    admin.post(f"/admin/users/{people['member']}/role", data={"role": "operator"})
    page = admin.get("/admin/audit").text
    assert "menjadikan 2024001 Mega Lestari operator" in page
    assert "user.role" not in page.partition("<tbody>")[2]


def test_every_action_that_the_source_records_has_a_sentence() -> None:
    source = "".join(path.read_text() for path in (ROOT / "myukm").rglob("*.py"))
    recorded = set(re.findall(r'"((?:user|siswa)\.[a-z_.]+[a-z])"', source))
    recorded |= set(re.findall(r'record\("(queue\.[a-z]+)"', source))
    assert len(recorded) > 15
    assert recorded <= SENTENCES.keys(), recorded - SENTENCES.keys()
    assert {f"user.role.{role}" for role in Role} <= SENTENCES.keys()
