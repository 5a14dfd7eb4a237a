"""The user's own account: password, log-ins, data export, deletion."""

import json
from collections.abc import Callable
from io import BytesIO
from zipfile import ZipFile

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.domain import activity, event_rendering
from myukm.domain.accounts import data_export, own_activity
from myukm.domain.actor import Actor
from myukm.extensions import db
from myukm.live.event_log import Event
from myukm.models import ChatMessage, LoginSession, Membership, PasswordReset, Photo, Ukm, User
from tests.conftest import every_database
from tests.support.files import PDF, send, upload
from tests.support.people import NAMES, PASSWORD, UKM
from tests.support.pictures import half_red

ClientAs = Callable[[str], FlaskClient]
NEW = "kata-sandi-baru"
PINNED = "baris satu\nbaris dua"
CALLS = [
    "/profile/password",
    "/profile/logout-everywhere",
    "/profile/delete",
    "/profile/photo",
    "/profile/photo/remove",
]


def logs_in(app: Flask, who: str, password: str) -> bool:
    sent = {"nim": NAMES[who][0], "password": password}
    return app.test_client().post("/login", json=sent).status_code == 200


def photo() -> dict[str, object]:
    return {"photo": (BytesIO(half_red()), "a.jpg", "image/jpeg")}


def say(client: FlaskClient, text: str, client_id: str = "1") -> None:
    sent = {"message": text, "client_id": client_id}
    assert client.post(f"/ukm/{UKM}/messages", json=sent).status_code == 201


@pytest.mark.parametrize("path", CALLS)
def test_every_call_needs_a_log_in(client_as: ClientAs, path: str) -> None:
    assert client_as("nobody").post(path, json={}).status_code == 401
    assert client_as("nobody").get("/profile/data").status_code == 302


def test_a_new_password_keeps_this_device_and_logs_out_the_others(
    app: Flask, client_as: ClientAs
) -> None:
    here, there, friend = client_as("member"), client_as("member"), client_as("friend")
    answer = here.post("/profile/password", data={"old": PASSWORD, "new": NEW})
    assert (answer.status_code, answer.location) == (303, "/profile?done=password")
    assert "sudah diganti" in here.get(answer.location).text
    assert there.get("/ukm").status_code == 302
    assert friend.get("/ukm").status_code == 200
    assert logs_in(app, "member", NEW)
    assert not logs_in(app, "member", PASSWORD)


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"old": "salah", "new": NEW}, 403, "wrong_password"),
        ({"new": NEW}, 422, "bad_old"),
        ({"old": PASSWORD, "new": "sembilan!"}, 422, "bad_password"),
        ({"old": PASSWORD, "new": "Password123"}, 422, "bad_password"),
        ({"old": PASSWORD, "new": "MEGA-lestari"}, 422, "bad_password"),
        ({"old": PASSWORD, "new": "x" * 201}, 422, "bad_password"),
        ({"old": ["x"], "new": {}}, 422, "bad_old"),
        ({"old": "x" * 10_000, "new": NEW}, 403, "wrong_password"),
    ],
)
def test_a_refused_password_changes_nothing(
    app: Flask, client_as: ClientAs, sent: dict[str, object], status: int, code: str
) -> None:
    here, there = client_as("member"), client_as("member")
    answer = here.post("/profile/password", json=sent)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)
    assert there.get("/ukm").status_code == 200
    assert logs_in(app, "member", PASSWORD)


def test_a_refused_form_says_why_and_shows_no_password(client_as: ClientAs) -> None:
    answer = client_as("member").post("/profile/password", data={"old": "yang-salah", "new": NEW})
    assert answer.status_code == 403
    assert "Kata sandi Anda salah." in answer.text
    assert "yang-salah" not in answer.text
    assert NEW not in answer.text


def test_guessing_ones_own_password_is_rate_limited_over_both_forms(client_as: ClientAs) -> None:
    client = client_as("member")
    wrong = {"/profile/password": {"old": "salah", "new": NEW}}
    wrong |= {"/profile/delete": {"password": "salah"}}
    answers = [client.post(path, json=wrong[path]).status_code for path in [*wrong] * 6]
    assert answers == [403] * 10 + [429] * 2
    good = {"old": PASSWORD, "new": NEW}
    assert client_as("friend").post("/profile/password", json=good).status_code == 200


def test_the_profile_is_json_for_scripts(client_as: ClientAs, people: dict[str, int]) -> None:
    answer = client_as("member").get("/profile", headers={"Accept": "application/json"})
    assert answer.get_json() == {
        "user_id": people["member"],
        "nim": "2024001",
        "name": "Mega Lestari",
        "role": "anggota",
        "photo": None,
    }


def test_log_out_everywhere_ends_all_log_ins_of_the_account(
    app: Flask, client_as: ClientAs
) -> None:
    here, there, friend = client_as("member"), client_as("member"), client_as("friend")
    assert "2 perangkat" in here.get("/profile").text
    assert here.post("/profile/logout-everywhere").location == "/login"
    for client in (here, there):
        assert client.get("/ukm").status_code == 302
    assert friend.get("/ukm").status_code == 200
    assert logs_in(app, "member", PASSWORD)


@every_database
def test_the_data_export_has_only_ones_own_data(client_as: ClientAs) -> None:
    member, friend = client_as("member"), client_as("friend")
    for n in range(3):
        say(member, f"pesan {n}", str(n))
    say(friend, "bukan milikku")
    member.post("/profile/photo", data=photo())
    answer = member.get("/profile/data")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="myukm-data.json"'
    assert answer.headers["Cache-Control"] == "no-store"
    data = json.loads(answer.data)
    assert data["account"]["nim"] == "2024001"
    assert [place["ukm"] for place in data["memberships"]] == [UKM]
    assert [one["message"] for one in data["messages"]] == ["pesan 0", "pesan 1", "pesan 2"]
    assert len(data["logins"]) == 1
    for secret in ("bukan milikku", "argon2", "password_hash", "token"):
        assert secret not in answer.text


def test_no_transaction_stays_open_while_the_data_export_is_sent(
    app: Flask, client_as: ClientAs, people: dict[str, int]
) -> None:
    member = client_as("member")
    file = upload(member, PDF, "a.pdf").get_json()
    send(member, [file["id"]], "dengan berkas")
    with app.app_context():
        for pieces in (data_export.export, data_export.archive):
            for piece in pieces(people["member"]):
                assert not db.session().in_transaction(), piece


def test_the_data_export_lists_the_files_that_are_in_it(
    app: Flask, client_as: ClientAs, people: dict[str, int]
) -> None:
    """A second file is uploaded while the first one is sent."""
    member, sent = client_as("member"), b""
    upload(member, PDF, "a.pdf", client_id="a")
    with app.app_context():
        for piece in data_export.archive(people["member"]):
            if PDF in piece and PDF not in sent:
                upload(member, PDF, "b.pdf", client_id="b")
            sent += piece
    with ZipFile(BytesIO(sent)) as zipped:
        *files, document = sorted(zipped.namelist())
        listed = json.loads(zipped.read(document))["files"]
    assert [file["path"] for file in listed] == files
    assert len(files) == 2


def test_the_data_export_is_limited_to_ten_an_hour(client_as: ClientAs) -> None:
    member = client_as("member")
    answers = [member.get("/profile/data").status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]


def act_and_be_acted_upon(member: FlaskClient, client_as: ClientAs, account: int) -> int:
    """The member reacts, reports, pins and asks to join; an admin promotes and removes the member,
    whose id is `account`. Return the id of the friend's message."""
    friend, admin = client_as("friend"), client_as("admin")
    sent = {"message": "halo", "client_id": "f"}
    message = friend.post(f"/ukm/{UKM}/messages", json=sent).get_json()["id"]
    for emoji in ("👍", "😂"):
        assert member.put(f"/ukm/{UKM}/messages/{message}/reactions/{emoji}").status_code < 300
        friend.put(f"/ukm/{UKM}/messages/{message}/reactions/{emoji}")
    report = f"/ukm/{UKM}/messages/{message}/report"
    assert member.post(report, json={"reason": "kasar"}).status_code < 300
    changed = {"old": PASSWORD, "new": NEW}
    assert member.post("/profile/password", json=changed).status_code == 200
    member_of = f"/admin/ukm/{UKM}/members/{account}"
    assert admin.post(f"{member_of}/promote", json={}).status_code < 300
    assert member.post(f"/ukm/{UKM}/pin", json={"text": PINNED}).status_code == 200
    pramuka = {"intro": "Tali-temali", "listed": True}
    assert admin.post("/admin/ukm/PRAMUKA/listing", json=pramuka).status_code == 200
    assert member.post("/ukm/PRAMUKA/request", json={}).status_code == 200
    assert admin.post(f"{member_of}/remove", json={"block": True}).status_code < 300
    assert admin.post(f"/admin/users/{account}/reset-code", json={}).status_code == 201
    return int(message)


@every_database
def test_the_data_export_has_actions_by_and_on_the_account(
    client_as: ClientAs, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_activity, "BATCH", 1)
    member = client_as("member")
    message = act_and_be_acted_upon(member, client_as, people["member"])
    client_as("admin").post(f"/admin/users/{people['friend']}/reset-code", json={})
    data = json.loads(member.get("/profile/data").data)
    assert {(one["message_id"], one["emoji"]) for one in data["reactions"]} == {
        (message, "👍"),
        (message, "😂"),
    }
    assert [(one["ukm"], one["reason"]) for one in data["reports"]] == [(UKM, "kasar")]
    assert [one["ukm"] for one in data["blocks"]] == [UKM]
    (asked,) = data["join_requests"]
    assert (asked["ukm"], asked["at"][-1], asked["refused_at"]) == ("PRAMUKA", "Z", None)
    assert [(one["ukm"], one["text"]) for one in data["pins"]] == [(UKM, PINNED)]
    assert ("blocked", False) in [(one["action"], one["by_me"]) for one in data["ukm_trail"]]
    assert [(one["action"], one["by_me"]) for one in data["trail"]] == [
        ("user.password", True),
        ("user.reset_code", False),
    ]
    assert "2024002" not in json.dumps(data), "nothing of the friend"


def test_the_data_export_has_messages_of_several_batches(
    app: Flask, client_as: ClientAs, people: dict[str, int]
) -> None:
    with app.app_context(), transaction() as session:
        ukm = session.query(Ukm).filter_by(code=UKM).one()
        session.add_all(
            ChatMessage(
                ukm_id=ukm.id, user_id=people["member"], client_id=str(n), number=n, body=f"p{n}"
            )
            for n in range(1, 1202)
        )
        ukm.last_number = 1201
    data = json.loads(client_as("member").get("/profile/data").data)
    assert [one["message"] for one in data["messages"]] == [f"p{n}" for n in range(1, 1202)]


@every_database
def test_the_data_export_has_no_audit_lines_about_others(
    app: Flask, client_as: ClientAs, people: dict[str, int]
) -> None:
    admin = Actor("Siti Rahma", people["admin"])
    with app.app_context():
        with transaction() as session:
            session.get_one(User, people["member"]).nim = "12ab"
            for action, subject in (
                ("user.import", "12ab NIM: 2024001 … 2024012"),
                ("siswa.link_code", "12ab Rina"),
                ("ukm.add", "12ab 2024002"),
                ("user.block", "12AB Rina"),
                ("user.reset_code", "12ab Mega Lestari"),
                ("user.block", "12aB Rina"),
                ("siswa.link", "12ab – 77 Mega Lestari"),
            ):
                activity.record(admin, action, subject)
        data = json.loads("".join(data_export.export(people["member"])))
    assert [one["action"] for one in data["trail"]] == ["user.reset_code", "siswa.link"]


class TestDeletion:
    @pytest.fixture
    def gone(self, client_as: ClientAs) -> FlaskClient:
        """The browser of the member, who posted a message and deleted the account."""
        client = client_as("member")
        say(client, "tetap di sini")
        client.post("/profile/photo", data=photo())
        answer = client.post("/profile/delete", data={"password": PASSWORD})
        assert (answer.status_code, answer.location) == (303, "/login?deleted=1")
        return client

    @every_database
    def test_only_the_messages_are_left(
        self, app: Flask, gone: FlaskClient, people: dict[str, int]
    ) -> None:
        with app.app_context():
            user = db.session.get_one(User, people["member"])
            left = (user.nim, user.name, user.role, user.password_hash, user.photo_hash)
            assert left == (f"deleted {user.id}", "Pengguna terhapus", "anggota", "", None)
            for table in (LoginSession, Membership, Photo, PasswordReset):
                assert db.session.query(table).filter_by(user_id=user.id).count() == 0
            message = db.session.query(ChatMessage).filter_by(user_id=user.id).one()
            assert message.body == "tetap di sini"

    @every_database
    def test_other_members_see_no_name_any_more(
        self, app: Flask, gone: FlaskClient, client_as: ClientAs, people: dict[str, int]
    ) -> None:
        friend = client_as("friend")
        messages = friend.get(f"/ukm/{UKM}/messages").get_json()["messages"]
        assert [(one["message"], one["name"]) for one in messages] == [
            ("tetap di sini", "Pengguna terhapus")
        ]
        online = friend.get(f"/ukm/{UKM}/online").get_json()
        assert people["member"] not in [one["user_id"] for one in online["members"]]
        with app.app_context():
            stored = db.session.query(Event).all()
            assert not [event.data for event in stored if "Mega Lestari" in event.data]
            events = event_rendering.since(0, 1000, [f"ukm:{UKM}"])
            assert not [event.data for event in events if "Mega Lestari" in str(event.data)]
            last = json.loads(events[-1].data or "")
            assert [event.type for event in events[-2:]] == ["membership", "chat.person"]
            assert (last["user_id"], last["name"]) == (people["member"], "Pengguna terhapus")
            assert last["photo"] is None

    def test_nobody_can_log_in_any_more(self, app: Flask, gone: FlaskClient) -> None:
        assert gone.get("/ukm").status_code == 302
        assert not logs_in(app, "member", PASSWORD)
        for password in ("", "nobody has this password"):
            sent = {"nim": "deleted 4", "password": password}
            assert app.test_client().post("/login", json=sent).status_code == 401
        assert "sudah dihapus" in gone.get("/login?deleted=1").text

    def test_admins_see_the_deletion_and_cannot_change_the_account(
        self, gone: FlaskClient, client_as: ClientAs, people: dict[str, int]
    ) -> None:
        admin = client_as("admin")
        assert "terhapus" not in admin.get("/admin/users").text.replace("penghapusan", "")
        for action in ("unblock", "role", "reset-code"):
            path = f"/admin/users/{people['member']}/{action}"
            body = {"role": "admin"} if action == "role" else {}
            assert admin.post(path, json=body).status_code == 404
        history = admin.get("/admin/audit?action=user.delete").text
        assert "2024001 Mega Lestari" in history
        assert "user.photo" not in history

    def test_the_nim_is_free_but_needs_an_invitation(
        self, gone: FlaskClient, client_as: ClientAs, people: dict[str, int]
    ) -> None:
        nobody, again = client_as("nobody"), {"nim": "2024001", "password": NEW}
        assert nobody.post("/register", json={**again, "code": "X"}).status_code == 403
        invited = {"nim": "2024001", "name": "Mega Lestari", "role": "anggota"}
        code = client_as("admin").post("/admin/users/invitations", json=invited).get_json()["code"]
        account = nobody.post("/register", json={**again, "code": code}).get_json()
        assert account["user_id"] != people["member"]
        assert nobody.get(f"/ukm/{UKM}/messages").status_code == 404, "no member any more"

    def test_a_wrong_password_changes_nothing(self, app: Flask, client_as: ClientAs) -> None:
        client = client_as("member")
        answer = client.post("/profile/delete", data={"password": "salah"})
        assert answer.status_code == 403
        assert "Kata sandi Anda salah." in answer.text
        assert logs_in(app, "member", PASSWORD)

    def test_the_last_admin_cannot_delete_the_account(
        self, app: Flask, client_as: ClientAs, people: dict[str, int]
    ) -> None:
        admin, leave = client_as("admin"), {"password": PASSWORD}
        answer = admin.post("/profile/delete", json=leave)
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "last_admin")
        admin.post(f"/admin/users/{people['friend']}/role", json={"role": "admin"})
        admin.post(f"/admin/users/{people['friend']}/block")
        assert admin.post("/profile/delete", json=leave).status_code == 409, "a blocked admin"
        admin.post(f"/admin/users/{people['friend']}/unblock")
        assert admin.post("/profile/delete", json=leave).status_code == 200
