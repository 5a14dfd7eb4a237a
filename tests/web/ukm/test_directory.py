"""The directory and the requests to join, as pages and calls."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, update

from myukm.db.session import transaction
from myukm.models import JoinRequest, Membership, Role, Ukm, User
from tests.support.people import UKM
from tests.web.test_chat import count_queries

ClientAs = Callable[[str], FlaskClient]
People = dict[str, int]
OWN, CAMPUS = f"/ukm/{UKM}", f"/admin/ukm/{UKM}"
JSON = {"Accept": "application/json"}
INTRO = 'Kami "merakit" <b>robot</b> 🤖'


@pytest.fixture(autouse=True)
def member_is_admin(app: Flask, people: People) -> None:
    """The person `member` is an admin of ROBOTIK."""
    with app.app_context(), transaction() as session:
        mine = Membership.user_id == people["member"]
        session.execute(update(Membership).where(mine).values(is_admin=True))


def list_ukm(client: FlaskClient, base: str = OWN) -> None:
    assert client.post(f"{base}/listing", json={"intro": INTRO, "listed": True}).status_code == 200


def entries(client: FlaskClient, q: str = "") -> list[dict[str, object]]:
    return list(client.get(f"/ukm/directory?q={q}", headers=JSON).get_json()["ukms"])


def test_the_directory_has_a_ukm_only_if_its_admins_list_it(client_as: ClientAs) -> None:
    member, outsider = client_as("member"), client_as("outsider")
    assert entries(outsider) == []
    assert "Belum ada UKM di sini" in outsider.get("/ukm/directory").text
    list_ukm(member)
    (entry,) = entries(outsider, "ROBOT")
    assert entry == {
        "code": UKM,
        "name": "UKM Robotika",
        "intro": INTRO,
        "members": 2,
        "state": "none",
        "again_at": None,
    }
    assert entries(member)[0]["state"] == "member"
    page = outsider.get("/ukm/directory").text
    assert "&lt;b&gt;robot&lt;/b&gt; 🤖" in page
    assert "Tidak ada UKM yang cocok" in outsider.get("/ukm/directory?q=catur").text
    assert member.post(f"{OWN}/listing", data={"intro": INTRO}).location == f"{OWN}/manage"
    assert entries(outsider) == []
    assert client_as("nobody").get("/ukm/directory").location == "/login?next=/ukm/directory"


@pytest.mark.parametrize("intro", ["", " \u202e ", "x" * 201])
def test_an_entry_needs_a_short_introduction(client_as: ClientAs, intro: str) -> None:
    member = client_as("member")
    answer = member.post(f"{OWN}/listing", data={"intro": intro, "listed": "1"})
    assert answer.status_code == 422
    assert "Tulis keterangan singkat" in answer.text
    assert "checked" in answer.text, "the box stays ticked"


def test_a_manager_accepts_a_request_to_join(client_as: ClientAs, people: People) -> None:
    member, outsider = client_as("member"), client_as("outsider")
    list_ukm(member)
    assert outsider.post(f"{OWN}/request").location == "/ukm/directory"
    assert "Menunggu keputusan" in outsider.get("/ukm/directory").text
    assert outsider.get(f"{OWN}/messages").status_code == 404
    (asked,) = member.get(f"{OWN}/requests", headers=JSON).get_json()["requests"]
    assert (asked["user_id"], asked["name"]) == (people["outsider"], "Rudi Hartono")
    assert "2024003" in member.get(f"{OWN}/requests").text
    assert '"requests">1</span> minta bergabung' in member.get("/ukm").text
    accept = f"{OWN}/requests/{people['outsider']}/accept"
    assert member.post(accept).location == f"{OWN}/requests"
    assert "Rudi Hartono anggota sekarang." in member.get(f"{OWN}/requests").text
    assert outsider.get(f"{OWN}/messages").status_code == 200
    assert "menerima permintaan Rudi Hartono" in member.get(f"{OWN}/log").text
    assert member.post(accept).location == f"{OWN}/requests", "as for a second admin"
    assert "tidak menunggu lagi" in member.get(f"{OWN}/requests").text
    assert member.post(accept, json={}).get_json()["error"]["code"] == "no_such_request"


def test_a_request_to_join_is_withdrawn_and_refused(client_as: ClientAs, people: People) -> None:
    outsider, admin = client_as("outsider"), client_as("admin")
    list_ukm(admin, CAMPUS)
    withdraw = f"{OWN}/request/withdraw"
    assert outsider.post(f"{OWN}/request", json={}).get_json() == {"ukm": UKM, "state": "asked"}
    assert outsider.post(withdraw, json={}).get_json() == {"ukm": UKM, "state": "none"}
    assert outsider.post(withdraw, json={}).status_code == 404
    assert outsider.post(withdraw).location == "/ukm/directory"
    assert outsider.post(f"{OWN}/request", json={}).status_code == 200
    refuse = f"{CAMPUS}/requests/{people['outsider']}/refuse"
    assert admin.post(refuse, json={}).status_code == 204
    again = outsider.post(f"{OWN}/request", json={})
    assert (again.status_code, again.get_json()["error"]["code"]) == (409, "refused")
    page = outsider.get("/ukm/directory").text
    assert "Ditolak" in page
    assert "Anda boleh meminta lagi mulai" in page
    assert entries(outsider)[0]["again_at"]


def test_only_managers_accept_and_refuse_requests(client_as: ClientAs, people: People) -> None:
    list_ukm(client_as("member"))
    client_as("outsider").post(f"{OWN}/request")
    for decision in ("accept", "refuse"):
        path = f"requests/{people['outsider']}/{decision}"
        for who, status in (("nobody", 401), ("friend", 403), ("outsider", 404), ("admin", 404)):
            assert client_as(who).post(f"{OWN}/{path}", json={}).status_code == status, who
        for who in ("member", "operator", "outsider"):
            assert client_as(who).post(f"{CAMPUS}/{path}", json={}).status_code == 403
        for stranger in (people["operator"], 0, 10**17, 2**80):
            path = f"{OWN}/requests/{stranger}/{decision}"
            assert client_as("member").post(path, json={}).status_code == 404
        elsewhere = f"/ukm/PRAMUKA/requests/{people['outsider']}/{decision}"
        assert client_as("member").post(elsewhere, json={}).status_code == 404


def test_requests_to_join_are_rate_limited(client_as: ClientAs) -> None:
    outsider = client_as("outsider")
    ends = [outsider.post("/ukm/TIDAK-ADA/request", json={}).status_code for _ in range(21)]
    assert ends == [404] * 20 + [429]


def test_a_long_directory_and_many_requests_are_paged(
    app: Flask, client_as: ClientAs, people: People
) -> None:
    member = client_as("member")
    list_ukm(member)
    few = count_queries(app, lambda: member.get("/ukm/directory"))
    with app.app_context(), transaction() as session:
        ukm_id = session.query(Ukm).filter_by(code=UKM).one().id
        many = [
            User(nim=f"9{n:04}", name=f"Orang {n:04}", role=Role.ANGGOTA, password_hash="x")
            for n in range(120)
        ]
        session.add_all(many)
        session.add_all(
            Ukm(code=f"U{n}", join_code=f"J{n}", name=f"Unit {n}", is_listed=True)
            for n in range(60)
        )
        session.flush()
        session.execute(
            insert(JoinRequest), [{"user_id": one.id, "ukm_id": ukm_id} for one in many]
        )
    assert count_queries(app, lambda: member.get("/ukm/directory")) == few
    page = member.get("/ukm/directory?page=2", headers=JSON).get_json()
    assert (page["total"], page["pages"], len(page["ukms"])) == (61, 2, 11)
    page = member.get(f"{OWN}/requests?page=3", headers=JSON).get_json()
    assert (page["total"], page["pages"], len(page["requests"])) == (120, 3, 20)
