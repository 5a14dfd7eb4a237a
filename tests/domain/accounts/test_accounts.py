"""Concurrent changes of accounts, and unusual names and NIMs."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import account_deletion, event_rendering
from myukm.domain.accounts import (
    accounts,
    administration,
    invitations,
    password_reset,
    photos,
    self_service,
)
from myukm.domain.accounts.codes import digest
from myukm.domain.actor import Actor
from myukm.domain.chat import messages
from myukm.domain.text_normalization import clean_line
from myukm.domain.ukm import administration as ukm_administration
from myukm.domain.ukm import members as ukm_members
from myukm.domain.ukm import state as ukm_state
from myukm.errors import Conflict, DomainError, NotFound
from myukm.extensions import db
from myukm.live.event_log import Event
from myukm.models import (
    Invitation,
    LoginSession,
    Membership,
    PasswordReset,
    Role,
    Ukm,
    UkmPin,
    User,
)
from tests.conftest import every_database
from tests.support.people import PASSWORD, UKM

ClientAs = Callable[[str], FlaskClient]


@pytest.fixture
def two_admins(app: Flask, people: dict[str, int]) -> list[int]:
    """The ids of the admin and the bendahara, who is made an admin as well."""
    with app.app_context(), transaction() as session:
        session.get_one(User, people["bendahara"]).role = Role.ADMIN
    return [people["admin"], people["bendahara"]]


def at_once(app: Flask, calls: list[Callable[[], object]]) -> list[str]:
    """Make the calls at the same moment; return "" or the code of the refusal for each."""
    barrier = Barrier(len(calls), timeout=30)

    def run(call: Callable[[], object]) -> str:
        with app.app_context():
            barrier.wait()
            try:
                call()
            except DomainError as error:
                return error.code
            finally:
                db.session.remove()
            return ""

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@every_database
def test_two_concurrent_invitations_of_one_nim_leave_one_invitation(
    app: Flask, people: dict[str, int]
) -> None:
    def invite() -> str:
        with app.app_context():
            try:
                invitations.invite(Actor("Siti", people["admin"]), "2024099", "Rina", Role.ANGGOTA)
            except Conflict as error:
                return error.code
            return "invited"

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            other = {"nim": "2024099", "name": "Rina", "code_hash": "x"}
            session.add(Invitation(**other, role=Role.ANGGOTA))
            session.flush()
            meanwhile = pool.submit(invite)
            with pytest.raises(TimeoutError):
                meanwhile.result(timeout=0.5)
        # PostgreSQL's DELETE does not see the concurrent invitation, so the INSERT fails.
        renewed = db.engine.dialect.name != "postgresql"
        assert meanwhile.result() == ("invited" if renewed else "just_invited")
        assert invitations.search_open().total == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_change_of_an_account_does_not_delay_a_new_row_that_refers_to_it(
    app: Flask, people: dict[str, int]
) -> None:
    """A foreign key locks only the key of the row that it refers to."""
    admin, friend = Actor("Siti", people["admin"]), people["friend"]

    def log_in() -> None:
        with app.app_context(), transaction() as session:
            session.add(LoginSession(token_hash="x", user_id=friend))

    with app.app_context(), ThreadPoolExecutor(1) as pool, transaction():
        administration.unblock(admin, friend)
        user = db.session.get_one(User, friend)
        user.photo_hash = "x"
        photos.remove(user, by=admin)
        pool.submit(log_in).result(timeout=20)


@every_database
def test_an_account_is_read_again_when_it_is_locked(app: Flask, people: dict[str, int]) -> None:
    admin, friend = Actor("Siti", people["admin"]), people["friend"]

    def delete() -> None:
        with app.app_context():
            account_deletion.delete_account(db.session.get_one(User, friend), PASSWORD)

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        earlier = db.session.get_one(User, friend)
        db.session.commit()
        pool.submit(delete).result()
        assert earlier.deleted_at is None
        with pytest.raises(NotFound):
            administration.unblock(admin, friend)


@every_database
def test_an_invitation_cannot_be_withdrawn_while_it_is_used(
    app: Flask, people: dict[str, int]
) -> None:
    admin = Actor("Siti", people["admin"])

    def withdraw(invitation_id: int) -> str:
        with app.app_context():
            try:
                invitations.withdraw(admin, invitation_id)
            except NotFound as error:
                return error.code
            return "withdrawn"

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        code = invitations.invite(admin, "2024099", "Rina", Role.ANGGOTA)
        (invitation,) = invitations.search_open().items
        with transaction():
            invitations.register("2024099", code, PASSWORD)
            meanwhile = pool.submit(withdraw, invitation.id)
            with pytest.raises(TimeoutError):
                meanwhile.result(timeout=0.5)
        assert meanwhile.result() == "no_such_invitation"


@every_database
def test_of_two_reset_codes_created_at_once_the_later_is_valid(
    app: Flask, people: dict[str, int]
) -> None:
    """On the page and by the command, which does not lock the account itself."""

    def by_command() -> str:
        with app.app_context():
            return password_reset.issue(accounts.find("2024001"), by=Actor("flask user")).code

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            administration.reset_code(Actor("Siti", people["admin"]), people["member"])
            session.flush()
            meanwhile = pool.submit(by_command)
            with pytest.raises(TimeoutError):
                meanwhile.result(timeout=0.5)
        code = meanwhile.result()
        assert [one.code_hash for one in db.session.query(PasswordReset)] == [digest(code)]


@every_database
def test_a_code_that_is_voided_while_it_is_redeemed_is_wrong_without_a_deadlock(
    app: Flask, people: dict[str, int]
) -> None:
    def redeem(code: str) -> str:
        with app.app_context():
            try:
                password_reset.redeem("2024001", code, "kata sandi yang baru")
            except DomainError as error:
                return error.code
            return "redeemed"

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        code = password_reset.issue(accounts.find("2024001"), by=Actor("Siti")).code
        with transaction() as session:
            accounts.lock(session, people["member"])
            meanwhile = pool.submit(redeem, code)
            with pytest.raises(TimeoutError):
                meanwhile.result(timeout=1)
            password_reset.void(people["member"])
        assert meanwhile.result() == "wrong_code"


def count_admins(app: Flask) -> int:
    with app.app_context():
        query = db.session.query(User).filter_by(role="admin", blocked_at=None)
        return query.count()


@every_database
def test_the_last_two_admins_cannot_both_delete_their_accounts_at_once(
    app: Flask, two_admins: list[int]
) -> None:
    def delete(user_id: int) -> Callable[[], object]:
        return lambda: account_deletion.delete_account(db.session.get_one(User, user_id), PASSWORD)

    assert sorted(at_once(app, [delete(user_id) for user_id in two_admins])) == ["", "last_admin"]
    assert count_admins(app) == 1


@every_database
def test_two_admins_cannot_demote_each_other_at_once(app: Flask, two_admins: list[int]) -> None:
    def demote(actor: int, other: int) -> Callable[[], object]:
        return lambda: administration.set_role(Actor("Siti", actor), other, "anggota")

    one, two = two_admins
    assert sorted(at_once(app, [demote(one, two), demote(two, one)])) == ["", "last_admin"]
    assert count_admins(app) == 1


def test_deleting_a_deleted_account_is_refused(app: Flask, people: dict[str, int]) -> None:
    with app.app_context():
        user = db.session.get_one(User, people["member"])
        db.session.expunge(user)
        account_deletion.delete_account(user, PASSWORD)
        with pytest.raises(Conflict):
            account_deletion.delete_account(user, PASSWORD)


@every_database
def test_no_name_is_left_of_an_account_that_is_deleted_while_it_posts(
    app: Flask, people: dict[str, int]
) -> None:
    def post_messages() -> None:
        user = db.session.get_one(User, people["member"])
        for number in range(15):
            messages.post(user, UKM, f"pesan {number}", str(number))

    def delete() -> None:
        account_deletion.delete_account(db.session.get_one(User, people["member"]), PASSWORD)

    posted, deleted = at_once(app, [post_messages, delete])
    assert deleted == ""
    assert posted in ("", "no_such_ukm")
    with app.app_context():
        replayed = event_rendering.since(0, 1000)
        assert not [event for event in replayed if "Mega Lestari" in str(event.data)]
        assert any("Pengguna terhapus" in str(event.data) for event in replayed)
        assert not [event for event in db.session.query(Event) if "Mega Lestari" in event.data]
        assert db.session.query(Membership).filter_by(user_id=people["member"]).count() == 0


def test_the_last_admin_of_a_ukm_cannot_delete_the_account(
    app: Flask, people: dict[str, int]
) -> None:
    with app.app_context():
        for nim in ("2024001", "2024002"):
            ukm_administration.add(UKM, nim, is_admin=True, by=Actor("Siti"))
        both = [db.session.get_one(User, people[who]) for who in ("member", "friend")]
        account_deletion.delete_account(both[0], PASSWORD)
        ukm_administration.add(UKM, "2024003", by=Actor("Siti"))
        with pytest.raises(Conflict) as refused:
            account_deletion.delete_account(both[1], PASSWORD)
        assert "UKM Robotika" in str(refused.value)
        assert both[1].deleted_at is None


def test_a_pin_of_a_deleted_account_shows_no_name(app: Flask, people: dict[str, int]) -> None:
    with app.app_context():
        unit = db.session.query(Ukm).filter_by(code=UKM).one()
        with transaction() as session:
            pin = UkmPin(ukm_id=unit.id, text="Rapat", by_id=people["member"], at=utcnow())
            session.add(pin)
            ukm_state.publish_changed(unit)
        account_deletion.delete_account(db.session.get_one(User, people["member"]), PASSWORD)
        published = [
            json.loads(event.data)["pin"]
            for event in event_rendering.since(0, 1000)
            if event.type == "ukm.changed" and event.data
        ]
        assert [(one["text"], one["by"]) for one in published] == [
            ("Rapat", "Pengguna terhapus")
        ] * 2


def test_an_account_without_a_password_refuses_every_password(app: Flask) -> None:
    with app.app_context():
        for password in ("", "nobody has this password"):
            with pytest.raises(DomainError):
                self_service.require_password(User(password_hash=""), password)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Siti   Rahma ", "Siti Rahma"),
        ("Siti\u202e amhaR", "Siti amhaR"),
        ("Si\u200bti\u2060 \ufeffRahma", "Siti Rahma"),
        ("Siti\u3164Rahma\u115f", "SitiRahma"),
        ("Siti\x00\x1b[31m Rahma\x7f", "Siti[31m Rahma"),
        ("Siti\nRahma\u2028\u2029", "Siti Rahma"),
        ("e\u0301lan", "élan"),
        ("🌙 Bulan", "🌙 Bulan"),
    ],
)
def test_invisible_and_control_characters_are_removed_from_names(typed: str, stored: str) -> None:
    assert clean_line(typed) == stored


@pytest.mark.parametrize(
    "nim", ["20２４\u200b", "2024\u200b001", "2024\u3164", "20 24", "", "1" * 33, "é"]
)
def test_a_nim_with_other_than_printable_ascii_characters_is_refused(
    client_as: ClientAs, nim: str
) -> None:
    invited = {"nim": nim, "name": "Ani", "role": "anggota"}
    answer = client_as("admin").post("/admin/users/invitations", json=invited)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "bad_nim")


def test_full_width_digits_and_outer_blanks_are_normalized(client_as: ClientAs) -> None:
    invited = {"nim": "\u2003２０２４ ", "name": "Ani", "role": "anggota"}
    answer = client_as("admin").post("/admin/users/invitations", json=invited)
    assert (answer.status_code, answer.get_json()["nim"]) == (201, "2024")


@every_database
def test_search_ignores_accents_and_kinds_of_apostrophes(
    app: Flask, people: dict[str, int]
) -> None:
    names = ['Ma’ruf "Cak" Søren', "MA`RUF «CAK» SØREN", "Maʿruf Cak Soren", "maruf cak søren"]
    with app.app_context(), transaction() as session:
        for who, name in zip(("admin", "bendahara", "member", "friend"), names, strict=True):
            session.get_one(User, people[who]).name = name
    with app.app_context():
        ukm = db.session.query(Ukm).filter_by(code=UKM).one()
        for typed in ("maruf", "Ma'ruf cak", "ma′ruf ‘cak’ soren", "SØREN"):
            assert sorted(user.name for user in administration.search(typed).items) == sorted(
                names
            ), typed
            found = ukm_members.search(ukm, typed).items
            assert {member.name for member in found} == {names[2], names[3]}, typed
        for sign in r"[\.*?(|^$":
            assert not administration.search(f"maruf{sign}").items, sign
