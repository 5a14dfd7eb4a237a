"""The pages and calls of one UKM: who may open them, what they return, what their forms do."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.domain.actor import Actor
from myukm.domain.ukm import administration as ukm_administration
from myukm.domain.ukm import memberships
from myukm.models import JoinRequest, Membership, Ukm, UkmBlock, User
from tests.conftest import every_database
from tests.support.people import NAMES, UKM
from tests.web.test_chat import count_queries

ClientAs = Callable[[str], FlaskClient]
People = dict[str, int]
JSON = {"Accept": "application/json"}
OWN, CAMPUS = f"/ukm/{UKM}", f"/admin/ukm/{UKM}"
PAGES = ("manage", "reports", "log", "members/{friend}", "poster", "readers", "requests")
CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("edit", {"name": "Baru", "description": ""}),
    ("pin", {"text": "Pengumuman"}),
    ("unpin", {}),
    ("join-code", {}),
    ("link", {"days": 7}),
    ("link/revoke", {}),
    ("listing", {"intro": "Kami merakit robot.", "listed": True}),
    ("members/{friend}/mute", {"for": "1h"}),
    ("members/{friend}/unmute", {}),
    ("members/{friend}/promote", {}),
    ("members/{friend}/demote", {}),
    ("members/{friend}/remove", {"block": True}),
    ("members/{friend}/unblock", {}),
]


@pytest.fixture(autouse=True)
def roles_in_robotik(app: Flask, people: People) -> None:
    """`member` is an admin of ROBOTIK; `friend` and `operator` are members."""
    with app.app_context():
        with transaction() as session:
            mine = Membership.user_id == people["member"]
            session.execute(update(Membership).where(mine).values(is_admin=True))
        memberships.join(people["operator"], UKM)


def say(client: FlaskClient, text: str = "Halo", client_id: str = "c") -> int:
    """Post a message and return its id."""
    sent = {"message": text, "client_id": client_id}
    return int(client.post(f"{OWN}/messages", json=sent).get_json()["id"])


def test_who_may_open_each_page_under_ukm_and_under_admin(
    client_as: ClientAs, people: People
) -> None:
    for page in PAGES:
        path = page.format(**people)
        for who, status in (("member", 200), ("operator", 403), ("outsider", 404), ("admin", 404)):
            assert client_as(who).get(f"{OWN}/{path}").status_code == status, (who, path)
        for who, status in (("admin", 200), ("member", 403), ("operator", 403)):
            assert client_as(who).get(f"{CAMPUS}/{path}").status_code == status, (who, path)
        assert "/login" in str(client_as("nobody").get(f"{OWN}/{path}").location)
        assert "/login" in str(client_as("nobody").get(f"{CAMPUS}/{path}").location)


def test_a_campus_admin_cannot_read_a_message_by_pinning_it(client_as: ClientAs) -> None:
    message = say(client_as("friend"), "Hanya untuk kita")
    refused = client_as("admin").post(f"{CAMPUS}/pin", json={"message_id": message})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (404, "no_such_message")
    assert "Hanya untuk kita" not in client_as("admin").get(f"{CAMPUS}/manage").text
    assert client_as("admin").post(f"{CAMPUS}/pin", json={"text": "Rapat"}).status_code == 200
    assert client_as("member").post(f"{OWN}/pin", json={"message_id": message}).status_code == 200


@every_database
@pytest.mark.parametrize("letter", ["a", "."])
def test_a_very_long_search_word_is_accepted(client_as: ClientAs, letter: str) -> None:
    member = client_as("member")
    assert member.get(f"{OWN}/members").text.count("data-user") == 3
    page = member.get(f"{OWN}/members", query_string={"q": letter * 3000})
    assert page.status_code == 200
    assert page.text.count("data-user") == 0


def test_who_may_make_each_change_under_ukm_and_under_admin(
    client_as: ClientAs, people: People
) -> None:
    for path, body in CHANGES:
        for base, expected in (
            (OWN, {"nobody": 401, "operator": 403, "outsider": 404, "admin": 404}),
            (CAMPUS, {"nobody": 401, "operator": 403, "outsider": 403, "member": 403}),
        ):
            for who, status in expected.items():
                answer = client_as(who).post(f"{base}/{path.format(**people)}", json=body)
                assert (who, path, answer.status_code) == (who, path, status)


@pytest.mark.parametrize(("base", "who"), [(OWN, "member"), (CAMPUS, "admin")])
def test_admins_can_make_every_change(
    client_as: ClientAs, people: People, base: str, who: str
) -> None:
    client = client_as(who)
    for path, body in CHANGES:
        answer = client.post(f"{base}/{path.format(**people)}", json=body)
        assert answer.status_code in (200, 204), (path, answer.text)


@pytest.mark.parametrize("code", ["PRAMUKA", "TIDAK-ADA", "robotik", "%00", "A" * 40])
def test_a_ukm_admin_gets_404_for_every_other_ukm(
    client_as: ClientAs, people: People, code: str
) -> None:
    member = client_as("member")
    for path, body in CHANGES:
        answer = member.post(f"/ukm/{code}/{path.format(**people)}", json=body)
        assert answer.status_code == 404
    for page in ("members", "state", *PAGES):
        assert member.get(f"/ukm/{code}/{page.format(**people)}").status_code == 404


def test_actions_on_people_who_are_not_members_are_404(client_as: ClientAs, people: People) -> None:
    member = client_as("member")
    for stranger in (people["outsider"], 0, 10**17, 2**80):
        for action in ("mute", "unmute", "promote", "demote", "remove", "unblock"):
            body = {"for": "1h"} if action == "mute" else {}
            answer = member.post(f"{OWN}/members/{stranger}/{action}", json=body)
            assert answer.status_code == 404, action
        assert member.get(f"{OWN}/members/{stranger}").status_code == 404


def test_members_see_the_list_of_members(client_as: ClientAs, people: People) -> None:
    operator = client_as("operator")
    page = operator.get(f"{OWN}/members").text
    assert "Farhan Hakim" in page
    assert "2024002" not in page, "only the UKM's admins see log-in numbers"
    found = operator.get(f"{OWN}/members", headers=JSON).get_json()
    first = found["members"][0]
    assert (found["total"], first["name"], first["is_admin"]) == (3, "Mega Lestari", True)
    assert first["status"] == "offline"
    assert "muted_until" not in first
    answer = client_as("member").get(f"{OWN}/members?q=2024002", headers=JSON)
    assert [one["nim"] for one in answer.get_json()["members"]] == ["2024002"]
    assert client_as("member").get(f"{OWN}/members?q=2024002").text.count("data-user") == 1
    assert operator.get(f"{OWN}/members?q=2024002").text.count("data-user") == 0
    assert client_as("outsider").get(f"{OWN}/members").status_code == 404


def test_removal_with_and_without_a_block(client_as: ClientAs, people: People) -> None:
    member, friend = client_as("member"), client_as("friend")
    remove = f"{OWN}/members/{people['friend']}/remove"
    assert member.post(remove, json={}).status_code == 204
    assert friend.get(f"{OWN}/messages").status_code == 404
    refused = friend.post(f"{OWN}/messages", json={"message": "x", "client_id": "x"})
    assert refused.status_code == 404
    assert friend.post("/ukm/join", json={"code": UKM}).status_code == 200
    answer = member.post(remove, data={"block": "1"})
    assert (answer.status_code, answer.location) == (303, f"{OWN}/members")
    refused = friend.post("/ukm/join", json={"code": UKM})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (403, "blocked")
    assert "Farhan Hakim" in member.get(f"{OWN}/manage").text
    for expected in ("tidak diblokir lagi", "tidak diblokir dari UKM ini"):
        answer = member.post(f"{OWN}/members/{people['friend']}/unblock")
        assert (answer.status_code, answer.location) == (303, f"{OWN}/manage")
        assert expected in member.get(f"{OWN}/manage").text
    assert friend.post("/ukm/join", json={"code": UKM}).status_code == 200


def test_a_muted_member_sees_until_when_and_cannot_post(
    client_as: ClientAs, people: People
) -> None:
    member, friend = client_as("member"), client_as("friend")
    mute = f"{OWN}/members/{people['friend']}/mute"
    muted = member.post(mute, json={"until": "2999-01-01T00:00:00Z"})
    assert (muted.status_code, muted.get_json()["error"]["code"]) == (422, "bad_until")
    rights = member.post(mute, json={"for": "7d"}).get_json()
    assert rights["muted_seconds"] == 7 * 86400
    refused = friend.post(f"{OWN}/messages", json={"message": "x", "client_id": "x"})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (403, "muted")
    state = friend.get(f"{OWN}/state").get_json()
    assert (state["muted_until"], state["is_admin"]) == (rights["muted_until"], False)
    page = member.get(f"{OWN}/members/{people['friend']}").text
    assert "Izinkan menulis lagi" in page
    answer = member.post(mute, data={"for": "", "until": "kapan-kapan"})
    assert answer.status_code == 422
    assert "Pilih sampai kapan" in answer.text
    typed = member.post(mute, data={"for": "1d", "until": "2026-12-31T10:00"})
    assert typed.status_code == 422
    assert "Pilih lamanya atau waktu berakhirnya" in typed.text
    assert 'value="1d" checked' in typed.text
    assert 'value="2026-12-31T10:00"' in typed.text
    assert friend.get(f"{OWN}/state").get_json()["muted_until"] == rights["muted_until"]
    assert member.post(f"{OWN}/members/{people['friend']}/unmute", json={}).status_code == 200
    assert say(friend)


def test_forms_promote_and_demote_but_not_the_last_admin(
    client_as: ClientAs, people: People
) -> None:
    member = client_as("member")
    page = f"{OWN}/members/{people['friend']}"
    assert member.post(f"{page}/promote").location == page
    assert "Cabut jabatan pengurus" in member.get(page).text
    mine = f"{OWN}/members/{people['member']}"
    assert member.post(f"{mine}/demote").location == f"{OWN}/members"
    assert member.get(f"{OWN}/manage").status_code == 403
    last = client_as("friend").post(f"{page}/demote", json={})
    assert (last.status_code, last.get_json()["error"]["code"]) == (409, "last_admin")
    assert client_as("friend").post(f"{OWN}/leave").status_code == 409


def test_a_refused_form_keeps_what_was_typed(client_as: ClientAs) -> None:
    member = client_as("member")
    answer = member.post(f"{OWN}/edit", data={"name": "\u202e", "description": "Yang diketik"})
    assert answer.status_code == 422
    assert "Yang diketik" in answer.text
    assert "Nama harus" in answer.text
    answer = member.post(f"{OWN}/pin", data={"text": "x" * 1001})
    assert answer.status_code == 422
    assert "x" * 1001 in answer.text
    answer = member.post(f"{OWN}/edit", data={"name": " Robot <b>", "description": ""})
    assert answer.location == f"{OWN}/manage"
    assert "Robot &lt;b&gt;" in member.get(f"{OWN}/manage").text


def test_every_member_gets_the_pin_in_the_state(client_as: ClientAs) -> None:
    member, friend = client_as("member"), client_as("friend")
    message_id = say(friend, "Bawa bekal")
    assert member.post(f"{OWN}/pin", json={"message_id": message_id}).status_code == 200
    pin = friend.get(f"{OWN}/state").get_json()["pin"]
    assert (pin["message_id"], pin["text"]) == (message_id, "Bawa bekal")
    assert pin["by"] == "Mega Lestari"
    assert member.post(f"{OWN}/pin", json={"message_id": str(message_id)}).status_code == 422
    assert member.post(f"{OWN}/pin", json={"text": 7}).status_code == 422
    assert member.post(f"{OWN}/unpin", json={}).get_json()["pin"] is None


def test_managers_delete_or_dismiss_reported_messages(app: Flask, client_as: ClientAs) -> None:
    member, friend, operator = client_as("member"), client_as("friend"), client_as("operator")
    bad, fine = say(friend, "<script>iklan", "1"), say(friend, "biasa", "2")
    for message_id in (bad, fine):
        answer = operator.post(f"{OWN}/messages/{message_id}/report", json={"reason": "Iklan"})
        assert (answer.status_code, answer.get_json()) == (201, {"message_id": message_id})
    again = operator.post(f"{OWN}/messages/{bad}/report", json={"reason": "lagi"})
    assert (again.status_code, again.get_json()["error"]["code"]) == (409, "already_reported")
    own = friend.post(f"{OWN}/messages/{bad}/report", json={"reason": "x"})
    assert (own.status_code, own.get_json()["error"]["code"]) == (409, "own_message")
    page = member.get(f"{OWN}/reports").text
    assert "&lt;script&gt;iklan" in page
    listed = member.get(f"{OWN}/reports", headers=JSON).get_json()
    assert [one["message_id"] for one in listed["reports"]] == [bad, fine]
    assert listed["reports"][0]["reports"][0]["reason"] == "Iklan"
    assert operator.post(f"{OWN}/reports/{bad}/delete").status_code == 403
    with app.app_context():
        ukm_administration.add("PRAMUKA", NAMES["outsider"][0], is_admin=True, by=Actor("test"))
    elsewhere = client_as("outsider").post(f"/ukm/PRAMUKA/reports/{bad}/delete", json={})
    assert (elsewhere.status_code, elsewhere.json["error"]["code"]) == (404, "no_such_report")
    assert member.post(f"{OWN}/reports/{bad}/delete").location == f"{OWN}/reports"
    assert client_as("admin").post(f"{CAMPUS}/reports/{fine}/dismiss", json={}).status_code == 204
    found = friend.get(f"{OWN}/messages").get_json()["messages"]
    assert [message["deleted"] for message in found] == [True, False]
    assert member.post(f"{OWN}/reports/{fine}/dismiss", json={}).status_code == 404
    second = member.post(f"{OWN}/reports/{fine}/dismiss")
    assert (second.status_code, second.location) == (303, f"{OWN}/reports")
    assert "Laporan ini tidak ada" in member.get(f"{OWN}/reports").text
    assert "Tidak ada laporan" in member.get(f"{OWN}/reports").text


def test_invalid_reports_are_refused_and_reports_are_rate_limited(client_as: ClientAs) -> None:
    message_id = say(client_as("friend"))
    outsider = client_as("outsider")
    for path in (f"{OWN}/messages/{message_id}", f"/ukm/PRAMUKA/messages/{message_id}"):
        assert outsider.post(f"{path}/report", json={"reason": "x"}).status_code == 404
    member = client_as("member")
    bodies: list[Any] = [{}, {"reason": ""}, {"reason": ["x"]}, {"reason": "x" * 501}, []]
    for body in bodies:
        answer = member.post(f"{OWN}/messages/{message_id}/report", json=body)
        assert answer.status_code == 422
    answers = [
        member.post(f"{OWN}/messages/{10**17}/report", json={"reason": "x"}).status_code
        for _ in range(18)
    ]
    assert answers == [404] * 15 + [429] * 3, "at most twenty reports a minute"


def test_the_log_has_a_sentence_for_each_change(client_as: ClientAs, people: People) -> None:
    member = client_as("member")
    for path, body in CHANGES:
        member.post(f"{OWN}/{path.format(**people)}", json=body)
    page = member.get(f"{OWN}/log").text
    for words in (
        "Oki Pratama bergabung",
        "Mega Lestari mengganti nama UKM menjadi Baru",
        "Mega Lestari menyematkan pengumuman Pengumuman",
        "Mega Lestari membisukan Farhan Hakim sampai",
        "Mega Lestari mengangkat Farhan Hakim menjadi pengurus",
        "Mega Lestari mengeluarkan dan memblokir Farhan Hakim",
        "Mega Lestari membuka blokir Farhan Hakim",
    ):
        assert words in page
    shown = member.get(f"{OWN}/log", headers=JSON).get_json()
    assert shown["log"][0]["action"] == "unblocked"
    assert shown["log"][0]["person_id"] == people["friend"]
    assert shown["total"] == len(shown["log"])


@pytest.mark.usefixtures("no_flood_guard")
def test_the_log_is_paged(client_as: ClientAs) -> None:
    member = client_as("member")
    for n in range(60):
        member.post(f"{OWN}/edit", json={"name": f"Nama {n}", "description": ""})
    pages = [member.get(f"{OWN}/log?page={n}", headers=JSON).get_json() for n in (1, 2, 99)]
    assert [len(page["log"]) for page in pages] == [50, 11, 11]
    assert member.get(f"{OWN}/log?page=x").status_code == 422


def test_campus_admins_archive_and_restore_a_ukm(client_as: ClientAs, people: People) -> None:
    admin, member = client_as("admin"), client_as("member")
    assert member.post(f"{CAMPUS}/archive").status_code == 403
    assert admin.post("/admin/ukm/TIDAK-ADA/archive", json={}).status_code == 404
    answer = admin.post(f"{CAMPUS}/archive")
    assert (answer.status_code, answer.location) == (303, f"{CAMPUS}/manage")
    assert f"{CAMPUS}/manage" not in admin.get("/admin/ukm").text
    assert f"{CAMPUS}/manage" in admin.get("/admin/ukm?arsip=1").text
    listed = member.get("/ukm").text
    assert f"/ukm/{UKM}/chat" not in listed
    assert "Arsip (1)" in listed
    assert f"/ukm/{UKM}/chat" in member.get("/ukm?arsip=1").text
    assert member.get(f"{OWN}/messages").status_code == 200
    refused = member.post(f"{OWN}/messages", json={"message": "x", "client_id": "x"})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "archived")
    assert client_as("outsider").post("/ukm/join", json={"code": UKM}).status_code == 404
    assert admin.post(f"{CAMPUS}/restore", json={}).get_json()["archived"] is False
    assert say(member)


def test_a_renewed_code_is_shown_and_works(client_as: ClientAs) -> None:
    member, outsider = client_as("member"), client_as("outsider")
    fresh = member.post(f"{OWN}/join-code", json={}).get_json()["join_code"]
    assert fresh in member.get(f"{OWN}/manage").text
    assert outsider.post("/ukm/join", json={"code": UKM}).status_code == 404
    assert outsider.post("/ukm/join", json={"code": fresh}).status_code == 200


def test_the_list_shows_a_deleted_last_message_and_descriptions(client_as: ClientAs) -> None:
    member = client_as("member")
    member.post(f"{OWN}/edit", json={"name": "Robotika", "description": "Tiap Rabu"})
    message_id = say(member, "rahasia dapur")
    assert "rahasia dapur" in member.get("/ukm").text
    member.delete(f"{OWN}/messages/{message_id}")
    page = member.get("/ukm").text
    assert "rahasia dapur" not in page
    assert "pesan dihapus" in page
    assert "Tiap Rabu" in page


def add_people() -> None:
    """Add three members, three requests to join, and three blocked people."""
    with transaction() as session:
        robotik = session.query(Ukm).filter_by(code=UKM).one()
        for n in range(9):
            user = User(nim=f"n{n}", name=f"Warga {n}", role="anggota", password_hash="")
            session.add(user)
            session.flush()
            kind = (Membership, JoinRequest, UkmBlock)[n // 3]
            session.add(kind(ukm_id=robotik.id, user_id=user.id))


@pytest.mark.parametrize(
    ("page", "newest"),
    [
        ("members", "Warga 2"),
        ("reports", "pesan 7"),
        ("log", "Nama 7"),
        ("manage", "Warga 8"),
        ("requests", "Warga 5"),
        ("readers?unread=1", "Warga 2"),
    ],
)
def test_each_page_makes_a_fixed_number_of_queries(
    app: Flask, people: People, client_as: ClientAs, page: str, newest: str
) -> None:
    member, operator = client_as("member"), client_as("operator")
    member.post(f"{OWN}/pin", json={"text": "Rapat"})
    operator.post(f"{OWN}/messages/{say(member)}/report", json={"reason": "x"})
    few = count_queries(app, lambda: member.get(f"{OWN}/{page}"))
    for n in range(8):
        message_id = say(client_as("friend"), f"pesan {n}", f"f{n}")
        for reporter in (member, operator):
            reporter.post(f"{OWN}/messages/{message_id}/report", json={"reason": "x"})
        member.post(f"{OWN}/edit", json={"name": f"Nama {n}", "description": ""})
    with app.app_context():
        add_people()
    many = count_queries(app, lambda: member.get(f"{OWN}/{page}"))
    assert newest in member.get(f"{OWN}/{page}").text
    assert few == many <= 10
