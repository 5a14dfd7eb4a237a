"""Requests to join: one per person and UKM, decided once, deleted when obsolete."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from myukm.db.deadlock_retry import retry_on_deadlock
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import account_blocking, account_deletion
from myukm.domain.accounts import administration
from myukm.domain.actor import Actor
from myukm.domain.ukm import (
    directory,
    join_requests,
    memberships,
    moderation,
    open_requests,
)
from myukm.domain.ukm import settings as ukm_settings
from myukm.errors import Conflict, DomainError, Forbidden, NotFound
from myukm.extensions import db
from myukm.live import pubsub
from myukm.models import Activity, JoinRequest, Membership, Ukm, User
from tests.conftest import every_database
from tests.support.people import PASSWORD, UKM

People = dict[str, int]
CAMPUS = Actor("Siti Rahma", campus=True)


@pytest.fixture(autouse=True)
def listed(app: Flask, people: People) -> None:
    """ROBOTIK is listed in the directory; member and friend are its admins."""
    with app.app_context():
        directory.describe(CAMPUS, UKM, "Kami merakit robot.", listed=True)
        with transaction() as session:
            session.execute(
                update(Membership)
                .where(Membership.user_id.in_([people["member"], people["friend"]]))
                .values(is_admin=True)
            )


def ukm() -> Ukm:
    return db.session.query(Ukm).filter_by(code=UKM).one()


def waiting() -> list[str]:
    return [one.user.name for one in join_requests.waiting(ukm().id).items]


def verbs() -> list[str]:
    query = db.select(Activity.action).where(Activity.ukm_id == ukm().id).order_by(Activity.id)
    return [action.removeprefix("unit.") for action in db.session.scalars(query)]


def test_a_request_waits_until_it_is_accepted(app: Flask, people: People) -> None:
    member, outsider = Actor("Mega", people["member"]), people["outsider"]
    with app.app_context():
        join_requests.ask(outsider, UKM)
        join_requests.ask(outsider, UKM)
        assert (waiting(), open_requests.count(ukm().id)) == (["Rudi Hartono"], 1)
        join_requests.accept(member, UKM, outsider)
        assert memberships.is_member(outsider, ukm().id)
        assert waiting() == []
        assert verbs()[-1] == "accepted"
        with pytest.raises(NotFound):
            join_requests.refuse(member, UKM, outsider)
        with pytest.raises(Conflict):
            join_requests.ask(outsider, UKM)


def test_a_refused_person_may_ask_again_after_a_week(app: Flask, people: People) -> None:
    member, outsider = Actor("Mega", people["member"]), people["outsider"]
    with app.app_context():
        join_requests.ask(outsider, UKM)
        join_requests.refuse(member, UKM, outsider)
        assert (waiting(), verbs()[-1]) == ([], "refused")
        (entry,) = directory.search(outsider).items
        assert entry.state == "refused"
        assert entry.again_at
        with pytest.raises(Conflict):
            join_requests.ask(outsider, UKM)
        with pytest.raises(NotFound):
            join_requests.withdraw(outsider, UKM)
        with transaction() as session:
            session.execute(update(JoinRequest).values(refused_at=utcnow() - timedelta(days=7)))
        assert directory.search(outsider).items[0].state == "none"
        join_requests.ask(outsider, UKM)
        assert waiting() == ["Rudi Hartono"]


def test_deleting_the_account_of_a_person_who_waits_publishes_the_count(
    app: Flask, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        join_requests.ask(people["outsider"], UKM)
        published: list[tuple[str, int]] = []
        monkeypatch.setattr(
            pubsub,
            "publish_many",
            lambda events: published.extend(
                (topic, data["open"]) for topic, kind, data in events if kind == "ukm.requests"
            ),
        )
        account_deletion.delete_account(db.session.get_one(User, people["outsider"]), PASSWORD)
    assert sorted(published) == sorted((f"user:{people[who]}", 0) for who in ("member", "friend"))


def test_blocking_and_unblocking_publish_the_number_of_open_requests(
    app: Flask, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[int] = []
    with app.app_context():
        join_requests.ask(people["outsider"], UKM)
        monkeypatch.setattr(
            pubsub,
            "publish_many",
            lambda events: published.extend(
                data["open"] for _, kind, data in events if kind == "ukm.requests"
            ),
        )
        account_blocking.block(CAMPUS, people["outsider"])
        assert set(published) == {0}
        published.clear()
        account_blocking.unblock(CAMPUS, people["outsider"])
        assert set(published) == {1}


def test_a_person_withdraws_a_request(app: Flask, people: People) -> None:
    outsider = people["outsider"]
    with app.app_context():
        join_requests.ask(outsider, UKM)
        assert directory.search(outsider).items[0].state == "asked"
        join_requests.withdraw(outsider, UKM)
        assert (waiting(), directory.search(outsider).items[0].state) == ([], "none")


def test_joining_by_code_deletes_the_request(app: Flask, people: People) -> None:
    outsider = people["outsider"]
    with app.app_context():
        join_requests.ask(outsider, UKM)
        memberships.join(outsider, UKM)
        assert waiting() == []
        with pytest.raises(NotFound):
            join_requests.accept(CAMPUS, UKM, outsider)
        memberships.leave(outsider, UKM)
        assert directory.search(outsider).items[0].state == "none"


def test_blocked_people_cannot_ask_and_unlisted_ukms_are_not_found(
    app: Flask, people: People
) -> None:
    outsider = people["outsider"]
    with app.app_context():
        memberships.join(outsider, UKM)
        moderation.remove(CAMPUS, UKM, outsider, block=True)
        with pytest.raises(Forbidden, match="diblokir"):
            join_requests.ask(outsider, UKM)
        moderation.unblock(CAMPUS, UKM, outsider)
        directory.describe(CAMPUS, UKM, "", listed=False)
        for code in (UKM, "PRAMUKA", "TIDAK-ADA", "robotik", "%"):
            with pytest.raises(NotFound):
                join_requests.ask(people["operator"], code)


def test_a_person_has_at_most_five_open_requests(app: Flask, people: People) -> None:
    with app.app_context():
        with transaction() as session:
            for n in range(6):
                code = f"UNIT-{n}"
                session.add(Ukm(code=code, join_code=f"J{n}", name=code, is_listed=True))
        for n in range(5):
            join_requests.ask(people["operator"], f"UNIT-{n}")
        with pytest.raises(Conflict, match="Paling banyak 5"):
            join_requests.ask(people["operator"], "UNIT-5")
        join_requests.withdraw(people["operator"], "UNIT-0")
        join_requests.ask(people["operator"], "UNIT-5")


def test_deleting_the_account_or_archiving_the_ukm_deletes_its_requests(
    app: Flask, people: People
) -> None:
    outsider, operator = people["outsider"], people["operator"]
    with app.app_context():
        for who in (outsider, operator, people["bendahara"]):
            join_requests.ask(who, UKM)
        administration.block(Actor("Siti", people["admin"]), operator)
        assert waiting() == ["Rudi Hartono", "Budi Santoso"]
        with pytest.raises(NotFound):
            join_requests.accept(CAMPUS, UKM, operator)
        account_deletion.delete_account(db.session.get_one(User, outsider), PASSWORD)
        assert open_requests.count(ukm().id) == 1
        ukm_settings.archive(CAMPUS, UKM)
        assert db.session.query(JoinRequest).count() == 0
        with pytest.raises(NotFound):
            join_requests.ask(people["bendahara"], UKM)


@every_database
def test_only_one_of_several_concurrent_decisions_succeeds(app: Flask, people: People) -> None:
    outsider = people["outsider"]

    def decide(n: int) -> str:
        admin = Actor("x", people["member" if n % 2 else "friend"])
        change = (join_requests.accept, join_requests.refuse)[n % 2]
        with app.app_context():
            try:
                retry_on_deadlock(lambda: change(admin, UKM, outsider))
            except DomainError as error:
                return error.code
            finally:
                db.session.remove()
            return "done"

    with app.app_context():
        join_requests.ask(outsider, UKM)
        db.session.remove()
    with ThreadPoolExecutor(4) as pool:
        ends = sorted(pool.map(decide, range(4)))
    assert ends == ["done", *["no_such_request"] * 3]
    with app.app_context():
        accepted = memberships.is_member(outsider, ukm().id)
        assert verbs()[-1] == ("accepted" if accepted else "refused")


@every_database
@pytest.mark.parametrize("decide", [join_requests.accept, join_requests.refuse])
def test_a_request_cannot_be_withdrawn_while_it_is_decided(
    app: Flask, people: People, decide: Callable[..., User]
) -> None:
    outsider = people["outsider"]

    def withdraw() -> str:
        with app.app_context():
            try:
                join_requests.withdraw(outsider, UKM)
            except NotFound as error:
                return error.code
            return "done"

    with app.app_context(), ThreadPoolExecutor(1) as pool:
        join_requests.ask(outsider, UKM)
        with transaction():
            decide(Actor("Mega", people["member"]), UKM, outsider)
            meanwhile = pool.submit(withdraw)
            with pytest.raises(TimeoutError):
                meanwhile.result(timeout=0.5)
        assert meanwhile.result() == "no_such_request"
        if decide is join_requests.refuse:
            with pytest.raises(Conflict):
                join_requests.ask(outsider, UKM)


@every_database
def test_the_directory_search_ignores_case_accents_and_apostrophes(
    app: Flask, people: People
) -> None:
    with app.app_context():
        for code, name in (
            ("KIR", "Kelompok Ilmiah"),
            ("QIRAAH", "Qira'ah & Élan"),
            ("ZZ", "apik"),
        ):
            db.session.rollback()
            with transaction() as session:
                session.add(Ukm(code=code, join_code=f"J{code}", name=name))
            directory.describe(CAMPUS, code, "Tiap Rabu 🤖", listed=True)

        def found(q: str) -> list[str]:
            return [entry.name for entry in directory.search(people["operator"], q).items]

        assert found("") == ["apik", "Kelompok Ilmiah", "Qira'ah & Élan", "UKM Robotika"]
        assert found("QIRA’AH elan") == found("qiraah") == ["Qira'ah & Élan"]
        assert found("rabu ilmiah") == ["Kelompok Ilmiah"]
        assert found("%") == found("_") == found("x" * 5000) == []
        with transaction() as session:
            session.query(Ukm).filter_by(code="KIR").one().name = "Zat Aneh"
        assert found("")[-1] == "Zat Aneh", "a new name is sorted and found at once"
        assert found("aneh") == ["Zat Aneh"]
