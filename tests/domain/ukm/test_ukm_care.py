"""Managing a UKM: permissions, effects on members and open pages, concurrent changes."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import account_deletion, activity, event_rendering, stream_topics
from myukm.domain.accounts import administration as accounts_administration
from myukm.domain.actor import Actor
from myukm.domain.chat import broadcast, history, messages, pins, reports, unsettled_reports
from myukm.domain.ukm import administration as ukm_administration
from myukm.domain.ukm import memberships, moderation, my_list, notification_settings, unread
from myukm.domain.ukm import settings as ukm_settings
from myukm.domain.ukm import state as ukm_state
from myukm.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from myukm.extensions import db
from myukm.live import pubsub
from myukm.models import ChatMessage, LoginSession, Membership, MessageReport, Ukm, UkmBlock, User
from tests.conftest import every_database
from tests.domain.sync.test_sync_start import at_once
from tests.support.people import NAMES, PASSWORD, UKM, token_for

People = dict[str, int]
As = Callable[..., Actor]
Say = Callable[..., ChatMessage]


@pytest.fixture
def inside(app: Flask, people: People) -> Iterator[Flask]:
    """Member and friend are ROBOTIK's admins, operator joined it."""
    with app.app_context():
        with transaction() as session:
            mine = Membership.user_id.in_([people["member"], people["friend"]])
            session.execute(update(Membership).where(mine).values(is_admin=True))
        memberships.join(people["operator"], UKM)
        yield app


@pytest.fixture
def officer(people: People) -> As:
    """`officer("member")` is that person as an actor, with `campus=True` as a campus admin."""

    def make(who: str, *, campus: bool = False) -> Actor:
        return Actor(user_id=people[who], name=NAMES[who][1], campus=campus)

    return make


@pytest.fixture
def say(inside: Flask, people: People) -> Say:
    count = iter(range(1000))

    def post(text: str = "Halo", who: str = "operator") -> ChatMessage:
        user = db.session.get_one(User, people[who])
        return messages.post(user, UKM, text, f"c{next(count)}")[0]

    return post


def published(topic: str, *types: str) -> list[dict[str, Any]]:
    """Return the data of the events of these types in a topic's log."""
    entries = event_rendering.since(0, 1000, [topic])
    return [json.loads(entry.data) for entry in entries if entry.type in types and entry.data]


def last_membership_event(user_id: int) -> dict[str, Any]:
    return published(f"user:{user_id}", "membership")[-1]


def actions() -> list[str]:
    ukm_id = db.session.scalars(select(Ukm.id).where(Ukm.code == UKM)).one()
    return [line.verb for line in reversed(activity.ukm_page(ukm_id).items)]


def membership(user_id: int) -> Membership:
    db.session.expire_all()
    return memberships.get_membership(user_id, UKM)


def membership_values(user_id: int) -> dict[str, Any]:
    found = membership(user_id)
    names = ("is_admin", "notices", "push_all", "read_number", "read_at", "joined_at")
    return {name: getattr(found, name) for name in names}


@every_database
def test_two_admins_cannot_demote_each_other_at_once(
    inside: Flask, people: People, officer: As
) -> None:
    for _ in range(5):
        pairs = iter([("member", "friend"), ("friend", "member")])

        def demote(pairs: Iterator[tuple[str, str]] = pairs) -> Any:
            who, whom = next(pairs)
            return moderation.demote(officer(who), UKM, people[whom]) and whom

        results = at_once(inside, 2, demote)
        assert sorted(type(result).__name__ for result in results) == ["Forbidden", "str"]
        db.session.rollback()
        assert [membership(people[who]).is_admin for who in ("member", "friend")].count(True) == 1
        for who in ("member", "friend"):
            moderation.promote(officer("admin", campus=True), UKM, people[who])


@pytest.mark.usefixtures("no_flood_guard")
@every_database
def test_muting_and_posting_at_once_never_deadlock(
    inside: Flask, people: People, officer: As
) -> None:
    calls = iter(range(100))
    until = utcnow() + timedelta(hours=1)

    def act() -> Any:
        n = next(calls)
        if n % 2:
            return moderation.mute(officer("member"), UKM, people["operator"], until).id
        return messages.post(db.session.get_one(User, people["operator"]), UKM, "Halo", f"c{n}")[
            0
        ].id

    for _ in range(8):
        results = at_once(inside, 4, act)
        assert len(results) == 4, "no request failed in the database"
        assert {getattr(result, "code", "muted") for result in results} == {"muted"}
        db.session.rollback()
        moderation.unmute(officer("member"), UKM, people["operator"])


@pytest.mark.usefixtures("no_flood_guard")
@every_database
def test_random_changes_at_once_never_fail_in_the_database(
    inside: Flask, people: People, officer: As
) -> None:
    target, until = people["operator"], utcnow() + timedelta(hours=1)
    campus = officer("admin", campus=True)
    changes: list[Callable[[], object]] = [
        lambda: moderation.mute(campus, UKM, target, until),
        lambda: moderation.unmute(campus, UKM, target),
        lambda: moderation.remove(campus, UKM, target),
        lambda: memberships.join(target, UKM),
        lambda: memberships.leave(target, UKM),
        lambda: ukm_settings.archive(campus, UKM),
        lambda: ukm_settings.unarchive(campus, UKM),
        lambda: pins.pin_text(campus, UKM, "Rapat"),
        lambda: ukm_administration.add(UKM, NAMES["operator"][0], by=Actor("test")),
    ]
    ids = iter(range(10_000))

    def act(number: int) -> str:
        rng = random.Random(number)
        for _ in range(12):
            db.session.remove()  # each change is a request of its own
            author = db.session.get_one(User, people[rng.choice(["operator", "friend"])])
            text = partial(messages.post, author, UKM, "Halo", f"x{next(ids)}")
            with suppress(DomainError):
                rng.choice([*changes, text, text, text])()
        return "done"

    numbers = iter(range(6))
    assert at_once(inside, 6, lambda: act(next(numbers))) == ["done"] * 6


def test_a_removed_member_loses_access_at_once_and_may_join_again(
    inside: Flask, people: People, officer: As, say: Say
) -> None:
    token = LoginSession.digest(token_for(people["operator"]))
    said = say("tetap ada")
    moderation.remove(officer("member"), UKM, people["operator"])
    assert "ukm:ROBOTIK" not in stream_topics.for_sessions([token])[token]
    with pytest.raises(NotFound):
        say("tidak sampai")
    assert db.session.get_one(ChatMessage, said.id).body == "tetap ada"
    received = last_membership_event(people["operator"])
    assert (received["change"], received["member"], received["ukm"]) == ("removed", False, UKM)
    assert published("ukm:ROBOTIK", "membership")[-1]["user_id"] == people["operator"]
    memberships.join(people["operator"], UKM)
    say("kembali")
    assert actions()[-2:] == ["removed", "joined"]


@every_database
def test_a_blocked_member_stays_out_until_unblocked(
    inside: Flask, people: People, officer: As
) -> None:
    moderation.remove(officer("member"), UKM, people["operator"], block=True)
    with pytest.raises(Forbidden) as refused:
        memberships.join(people["operator"], UKM)
    assert refused.value.code == "blocked"
    ukm = membership(people["member"]).ukm
    assert [user.id for user, _ in moderation.blocked(ukm.id)] == [people["operator"]]
    moderation.unblock(officer("friend"), UKM, people["operator"])
    memberships.join(people["operator"], UKM)
    with pytest.raises(NotFound):
        moderation.unblock(officer("friend"), UKM, people["operator"])
    assert actions()[-3:] == ["blocked", "unblocked", "joined"]


def test_a_deleted_account_cannot_join(inside: Flask, people: People) -> None:
    account_deletion.delete_account(db.session.get_one(User, people["outsider"]), PASSWORD)
    with pytest.raises(NotFound) as refused:
        memberships.join(people["outsider"], UKM)
    assert refused.value.code == "account_deleted"
    assert not memberships.is_member(people["outsider"], membership(people["member"]).ukm_id)


@pytest.mark.parametrize("block", [False, True])
def test_undoing_a_removal_restores_the_membership(
    inside: Flask, people: People, officer: As, say: Say, block: bool
) -> None:
    mega = officer("member")
    pins.pin_text(mega, UKM, "Rapat")
    unread.mark_read(membership(people["operator"]), 0)
    say()
    for who in ("operator", "friend"):
        notification_settings.set_level(membership(people[who]), "mentions")
        before = membership_values(people[who])
        moderation.remove(mega, UKM, people[who], block=block)
        moderation.undo_removal(mega, UKM, people[who])
        assert membership_values(people[who]) == before
    assert unread.count(membership(people["friend"])) == 1
    assert db.session.scalars(select(UkmBlock)).all() == []


def test_a_restored_admin_is_published_as_admin_and_the_log_hides_the_settings(
    inside: Flask, people: People, officer: As
) -> None:
    moderation.remove(officer("member"), UKM, people["friend"])
    removal = activity.newest_about(membership(people["member"]).ukm_id, people["friend"])
    assert removal is not None
    assert "notices" in removal.detail
    assert removal.shown_detail == ""
    moderation.undo_removal(officer("member"), UKM, people["friend"])
    assert last_membership_event(people["friend"])["is_admin"] is True


def test_a_removal_is_not_undone_once_something_else_happened(
    inside: Flask, people: People, officer: As
) -> None:
    mega, who = officer("member"), people["operator"]
    campus = officer("admin", campus=True)
    moderation.remove(mega, UKM, who)
    ukm_settings.archive(campus, UKM)
    with pytest.raises(Conflict, match="diarsipkan"):
        moderation.undo_removal(mega, UKM, who)
    ukm_settings.unarchive(campus, UKM)
    accounts_administration.block(Actor("Siti", people["admin"]), who)
    with pytest.raises(Conflict, match="diurungkan"):
        moderation.undo_removal(mega, UKM, who)
    moderation.remove(mega, UKM, people["friend"])
    account_deletion.delete_account(db.session.get_one(User, people["friend"]), PASSWORD)
    with pytest.raises(Conflict, match="diurungkan"):
        moderation.undo_removal(mega, UKM, people["friend"])


def test_a_person_added_by_the_campus_is_no_longer_blocked(
    inside: Flask, people: People, officer: As
) -> None:
    moderation.remove(officer("member"), UKM, people["operator"], block=True)
    ukm_administration.add(UKM, NAMES["operator"][0], by=Actor("test"))
    assert db.session.scalars(select(UkmBlock)).all() == []
    ukm_administration.add(UKM, NAMES["operator"][0], is_admin=True, by=Actor("test"))
    assert membership(people["operator"]).is_admin
    with pytest.raises(Conflict):
        ukm_administration.add(UKM, NAMES["operator"][0], is_admin=True, by=Actor("test"))


def test_a_muted_member_can_only_read_and_receives_the_end_of_the_mute(
    inside: Flask, people: People, officer: As, say: Say
) -> None:
    until = utcnow() + timedelta(hours=1)
    moderation.mute(officer("member"), UKM, people["operator"], until)
    with pytest.raises(Forbidden) as refused:
        say("tidak")
    assert refused.value.code == "muted"
    received = last_membership_event(people["operator"])
    assert received["member"] is True
    assert datetime.fromisoformat(received["muted_until"]) == until.replace(microsecond=0)
    assert 3590 <= received["muted_seconds"] <= 3600
    state = ukm_state.for_member(membership(people["operator"]))
    assert state["muted_until"] == received["muted_until"]
    assert not published("ukm:ROBOTIK", "membership")[-1]["change"].startswith("mut")
    moderation.unmute(officer("member"), UKM, people["operator"])
    assert last_membership_event(people["operator"])["muted_until"] is None
    say("lagi")


def test_a_mute_ends_by_itself(inside: Flask, people: People, officer: As, say: Say) -> None:
    moderation.mute(officer("member"), UKM, people["operator"], utcnow() - timedelta(seconds=1))
    say("boleh")
    assert ukm_state.for_member(membership(people["operator"]))["muted_seconds"] == 0


def test_admins_are_not_muted_and_a_promotion_ends_a_mute(
    inside: Flask, people: People, officer: As, say: Say
) -> None:
    until = utcnow() + timedelta(hours=1)
    with pytest.raises(Conflict) as refused:
        moderation.mute(officer("member"), UKM, people["friend"], until)
    assert refused.value.code == "is_admin"
    moderation.mute(officer("member"), UKM, people["operator"], until)
    moderation.promote(officer("member"), UKM, people["operator"])
    say("sebagai pengurus")
    assert last_membership_event(people["operator"])["is_admin"] is True


@every_database
def test_a_muted_member_who_leaves_and_joins_again_is_still_muted(
    inside: Flask, people: People, officer: As
) -> None:
    mega, who = officer("member"), people["operator"]
    until = (utcnow() + timedelta(hours=1)).replace(microsecond=0)

    def muted_until_after_rejoining() -> datetime | None:
        memberships.leave(who, UKM)
        memberships.join(who, UKM)
        return membership(who).muted_until

    moderation.mute(mega, UKM, who, until)
    assert muted_until_after_rejoining() == until
    assert datetime.fromisoformat(last_membership_event(who)["muted_until"]) == until
    moderation.unmute(mega, UKM, who)
    assert muted_until_after_rejoining() is None
    moderation.mute(mega, UKM, who, until)
    moderation.promote(mega, UKM, who)
    assert muted_until_after_rejoining() is None
    moderation.mute(mega, UKM, who, utcnow() - timedelta(seconds=1))
    assert muted_until_after_rejoining() is None
    moderation.mute(mega, UKM, who, until)
    memberships.leave(who, UKM)
    ukm_administration.add(UKM, NAMES["operator"][0], is_admin=True, by=Actor("test"))
    assert membership(who).muted_until is None
    moderation.demote(mega, UKM, who)
    assert muted_until_after_rejoining() is None, "becoming an admin deleted the mute"


def test_a_member_whom_the_campus_makes_admin_may_post(
    inside: Flask, people: People, officer: As, say: Say
) -> None:
    until = utcnow() + timedelta(hours=1)
    moderation.mute(officer("member"), UKM, people["operator"], until)
    ukm_administration.add(UKM, NAMES["operator"][0], is_admin=True, by=Actor("test"))
    say("sebagai pengurus")
    assert actions()[-1] == "promoted"


@pytest.mark.parametrize(("span", "hours"), [("1h", 1), ("1d", 24), ("7d", 168)])
def test_a_mute_for_a_duration(inside: Flask, span: str, hours: int) -> None:
    end = moderation.mute_until(span, "")
    assert abs(end - utcnow() - timedelta(hours=hours)) < timedelta(seconds=30)


@pytest.mark.parametrize(("form", "ahead"), [("%Y-%m-%dT%H:%M:%SZ", 0), ("%Y-%m-%dT%H:%M", 7)])
def test_a_mute_until_a_time_in_utc_or_in_the_campus_time_zone(
    inside: Flask, form: str, ahead: int
) -> None:
    wanted = utcnow() + timedelta(hours=5)
    end = moderation.mute_until("", (wanted + timedelta(hours=ahead)).strftime(form))
    assert abs(end - wanted) <= timedelta(minutes=1)


@pytest.mark.parametrize(
    ("span", "until"),
    [
        ("", ""),
        ("2h", ""),
        ("1h", "2999-01-01T00:00:00Z"),
        ("", "besok"),
        ("", "2020-01-01T00:00:00Z"),
        ("", "9999-12-31T23:59:59Z"),
        ("", "0001-01-01T00:00:00"),
    ],
)
def test_other_durations_and_times_of_a_mute_are_refused(
    inside: Flask, span: str, until: str
) -> None:
    with pytest.raises(Invalid) as refused:
        moderation.mute_until(span, until)
    assert refused.value.code == "bad_until"


def test_the_last_admin_can_neither_demote_themselves_nor_leave(
    inside: Flask, people: People, officer: As
) -> None:
    moderation.demote(officer("member"), UKM, people["friend"])
    for attempt in (
        lambda: moderation.demote(officer("member"), UKM, people["member"]),
        lambda: memberships.leave(people["member"], UKM),
    ):
        with pytest.raises(Conflict) as refused:
            attempt()
        assert refused.value.code == "last_admin"
    moderation.promote(officer("member"), UKM, people["operator"])
    moderation.demote(officer("member"), UKM, people["member"])
    memberships.leave(people["member"], UKM)
    memberships.leave(people["friend"], UKM)
    memberships.leave(people["operator"], UKM)
    assert actions()[-3:] == ["left"] * 3, "the last member may leave although an admin"


def test_an_admin_whose_account_is_blocked_does_not_count_as_admin(
    inside: Flask, people: People, officer: As
) -> None:
    with transaction() as session:
        session.get_one(User, people["friend"]).blocked_at = utcnow()
    with pytest.raises(Conflict):
        memberships.leave(people["member"], UKM)


def test_the_campus_may_demote_the_last_admin(inside: Flask, people: People, officer: As) -> None:
    campus = officer("admin", campus=True)
    for who in ("member", "friend"):
        moderation.demote(campus, UKM, people[who])
    listed = {one.ukm.code: one for one in ukm_administration.list_all()}
    assert (listed[UKM].members, listed[UKM].admins) == (3, 0)


@every_database
def test_only_admins_of_the_ukm_can_make_any_change(
    inside: Flask, people: People, officer: As, say: Say
) -> None:
    message = say("isi")
    reports.report(people["friend"], UKM, message.id, "alasan")
    until = utcnow() + timedelta(hours=1)
    target = people["operator"]
    changes: list[Callable[[Actor, str], object]] = [
        lambda by, code: moderation.remove(by, code, target),
        lambda by, code: moderation.mute(by, code, target, until),
        lambda by, code: moderation.unmute(by, code, target),
        lambda by, code: moderation.promote(by, code, target),
        lambda by, code: moderation.demote(by, code, target),
        lambda by, code: moderation.unblock(by, code, target),
        lambda by, code: ukm_settings.edit(by, code, "Nama", ""),
        ukm_settings.renew_join_code,
        ukm_settings.archive,
        lambda by, code: pins.pin_text(by, code, "teks"),
        lambda by, code: pins.pin_message(by, code, message.id),
        pins.unpin,
        lambda by, code: reports.resolve(by, code, message.id, erase=True),
    ]
    before = actions()
    for change in changes:
        for who, code, error in (
            ("operator", UKM, Forbidden),
            ("outsider", UKM, NotFound),
            ("member", "PRAMUKA", NotFound),
            ("member", "TIDAK-ADA", NotFound),
            ("admin", UKM, NotFound),
        ):
            with pytest.raises(error):
                change(officer(who), code)
    assert actions() == before


def test_an_admin_can_remove_neither_strangers_nor_themselves(
    inside: Flask, people: People, officer: As
) -> None:
    for stranger in (people["outsider"], 999_999_999_999_999_999):
        with pytest.raises(NotFound) as missing:
            moderation.remove(officer("member"), UKM, stranger)
        assert missing.value.code == "no_such_member"
    with pytest.raises(Conflict) as own:
        moderation.remove(officer("member"), UKM, people["member"])
    assert own.value.code == "own_membership"


@every_database
def test_a_renewed_join_code_voids_the_old_one(inside: Flask, people: People, officer: As) -> None:
    first = ukm_settings.renew_join_code(officer("member"), UKM).join_code
    with pytest.raises(NotFound):
        memberships.join(people["outsider"], UKM)
    second = ukm_settings.renew_join_code(officer("admin", campus=True), UKM).join_code
    assert first != second
    with pytest.raises(NotFound):
        memberships.join(people["outsider"], first)
    assert memberships.join(people["outsider"], second.lower()).code == UKM


@every_database
def test_an_archived_ukm_is_read_only_and_not_listed(
    inside: Flask, people: People, officer: As, say: Say
) -> None:
    message = say("disimpan")
    campus = officer("admin", campus=True)
    ukm_settings.archive(campus, UKM)
    ukm_settings.archive(campus, UKM)
    for attempt, code in (
        (lambda: say("terlambat"), "archived"),
        (lambda: messages.edit(people["operator"], UKM, message.id, "lain"), "archived"),
        (lambda: pins.pin_text(campus, UKM, "teks"), "archived"),
        (lambda: ukm_settings.edit(campus, UKM, "Lain", ""), "archived"),
        (lambda: ukm_administration.add(UKM, NAMES["outsider"][0], by=Actor("test")), "archived"),
        (lambda: memberships.join(people["outsider"], UKM), "no_such_code"),
    ):
        with pytest.raises(DomainError) as refused:
            attempt()
        assert refused.value.code == code
    assert db.session.get_one(ChatMessage, message.id).body == "disimpan"
    assert my_list.list_for(people["member"]) == []
    kept = my_list.list_for(people["member"], archived=True)
    assert [(each.code, each.unread) for each in kept] == [(UKM, 0)], "no unread badge"
    assert UKM not in [one.ukm.code for one in ukm_administration.list_all(archived=False)]
    assert published("ukm:ROBOTIK", "ukm.changed")[-1]["archived"] is True
    ukm_settings.unarchive(campus, UKM)
    say("lagi")
    assert my_list.count_archived(people["member"]) == 0
    assert [a for a in actions() if a in ("archived", "restored")] == ["archived", "restored"]


@every_database
def test_archiving_keeps_the_read_markers(
    inside: Flask, people: People, officer: As, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    say("satu")
    say("dua")
    published: dict[str, int] = {}
    monkeypatch.setattr(
        pubsub,
        "publish_many",
        lambda events: published.update({topic: data["count"] for topic, _, data in events}),
    )
    member, campus = people["member"], officer("admin", campus=True)
    ukm_settings.archive(campus, UKM)
    assert (unread.count(membership(member)), published[f"user:{member}"]) == (0, 0)
    assert history.first_unread(membership(member)) is None
    ukm_settings.unarchive(campus, UKM)
    assert (unread.count(membership(member)), published[f"user:{member}"]) == (2, 2)


def test_a_new_name_is_cleaned_and_published(inside: Flask, officer: As) -> None:
    ukm_settings.edit(
        officer("member"), UKM, " Robo\u202etika\u200b  \x00Baru ", "Baris\r\nkedua\x07 "
    )
    changed = published("ukm:ROBOTIK", "ukm.changed")[-1]
    assert (changed["name"], changed["description"]) == ("Robotika Baru", "Baris\nkedua")
    for name, description in (("\u200b\u202e", ""), ("N" * 121, ""), ("N", "d" * 1001)):
        with pytest.raises(Invalid):
            ukm_settings.edit(officer("member"), UKM, name, description)
    ukm_settings.edit(officer("member"), UKM, "Robotika Baru", "Baris\nkedua")
    assert actions()[-2:] == ["renamed", "described"], "an unchanged name is not recorded"


def test_a_pin_shows_edits_of_its_message_and_is_deleted_with_it(
    inside: Flask, people: People, officer: As, say: Say
) -> None:
    message = say("Rapat jam 4")
    pins.pin_message(officer("member"), UKM, message.id)
    shown = published("ukm:ROBOTIK", "ukm.changed")[-1]["pin"]
    assert (shown["message_id"], shown["text"]) == (message.id, "Rapat jam 4")
    messages.edit(people["operator"], UKM, message.id, "Rapat jam 5")
    ukm = membership(people["member"]).ukm
    pinned = ukm_state.pin(ukm.id)
    assert pinned is not None
    assert (pinned["text"], pinned["by"]) == ("Rapat jam 5", "Mega Lestari")
    messages.delete(people["operator"], UKM, message.id)
    assert ukm_state.pin(ukm.id) is None
    events = published("ukm:ROBOTIK", "ukm.changed")
    assert "Rapat" not in json.dumps(events), "a replay does not contain the text"
    assert events[-1]["pin"] is None
    with pytest.raises(Conflict):
        pins.pin_message(officer("member"), UKM, message.id)


def test_a_new_announcement_replaces_the_old_one(
    inside: Flask, people: People, officer: As, say: Say
) -> None:
    message = say()
    pins.pin_message(officer("member"), UKM, message.id)
    pins.pin_text(officer("friend"), UKM, " Libur\x00 sampai Senin ")
    ukm = membership(people["member"]).ukm
    pinned = ukm_state.pin(ukm.id)
    assert pinned is not None
    assert (pinned["message_id"], pinned["text"]) == (None, "Libur sampai Senin")
    pins.unpin(officer("member"), UKM)
    pins.unpin(officer("member"), UKM)
    assert ukm_state.pin(ukm.id) is None
    assert actions()[-3:] == ["pinned", "pinned", "unpinned"]


@pytest.mark.parametrize("message_id", [0, -1, 2**70, 10_000])
def test_unknown_messages_and_empty_texts_are_not_pinned(
    inside: Flask, officer: As, message_id: int
) -> None:
    with pytest.raises(NotFound):
        pins.pin_message(officer("member"), UKM, message_id)
    with pytest.raises(Invalid):
        pins.pin_text(officer("member"), UKM, "\u200b")


@every_database
def test_each_member_reports_a_message_once(
    inside: Flask, people: People, officer: As, say: Say
) -> None:
    message = say("iklan")

    def complain() -> str:
        reports.report(people["friend"], UKM, message.id, "iklan")
        return "ok"

    results = at_once(inside, 4, complain)
    assert sorted(getattr(one, "code", one) for one in results) == ["already_reported"] * 3 + ["ok"]
    db.session.rollback()
    reports.report(people["member"], UKM, message.id, "saya juga")
    ukm = membership(people["member"]).ukm
    assert unsettled_reports.count(ukm.id) == 1
    [one] = reports.open_reports(ukm.id).items
    assert one.message.id == message.id
    assert [report.reason for report in one.reports] == ["iklan", "saya juga"]


def test_reports_without_reason_or_of_ones_own_message_are_refused(
    inside: Flask, people: People, say: Say
) -> None:
    message = say()
    friend = people["friend"]
    for reason in ("", " \u200b", "x" * 501):
        with pytest.raises(Invalid):
            reports.report(friend, UKM, message.id, reason)
    with pytest.raises(Conflict):
        reports.report(people["operator"], UKM, message.id, "sendiri")
    with pytest.raises(NotFound):
        reports.report(people["outsider"], UKM, message.id, "x")
    with pytest.raises(NotFound):
        reports.report(people["outsider"], "PRAMUKA", message.id, "x")
    messages.delete(people["operator"], UKM, message.id)
    with pytest.raises(Conflict):
        reports.report(friend, UKM, message.id, "terlambat")


def test_a_report_is_settled_by_deleting_or_dismissing(
    inside: Flask, people: People, officer: As, say: Say
) -> None:
    bad, fine = say("buruk"), say("biasa")
    broadcast.publish(bad.ukm_id)
    for message in (bad, fine):
        reports.report(people["friend"], UKM, message.id, "alasan")
    reports.resolve(officer("member"), UKM, bad.id, erase=True)
    reports.resolve(officer("admin", campus=True), UKM, fine.id, erase=False)
    assert unsettled_reports.count(bad.ukm_id) == 0
    assert db.session.get_one(ChatMessage, bad.id, populate_existing=True).body == ""
    assert db.session.get_one(ChatMessage, fine.id, populate_existing=True).body == "biasa"
    assert published("ukm:ROBOTIK", "chat.deleted")[-1]["id"] == bad.id
    assert actions()[-2:] == ["report_deleted", "report_dismissed"]
    assert all(db.session.scalars(select(MessageReport.settled_at)))
    with pytest.raises(NotFound):
        reports.resolve(officer("member"), UKM, bad.id, erase=True)


def test_the_log_has_a_message_that_an_admin_deleted(
    inside: Flask, people: People, say: Say
) -> None:
    own, others = say(who="member"), say()
    messages.delete(people["member"], UKM, own.id)
    messages.delete(people["member"], UKM, others.id)
    assert actions().count("message_deleted") == 1


def test_an_admin_who_deletes_a_reported_message_settles_its_reports(
    inside: Flask, people: People, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported, other = say(), say()
    for message in (reported, other):
        reports.report(people["friend"], UKM, message.id, "alasan")
    assert unsettled_reports.count(reported.ukm_id) == 2
    published: list[int] = []
    monkeypatch.setattr(
        pubsub,
        "publish_many",
        lambda events: published.extend(
            data["open"] for _, kind, data in events if kind == "ukm.reports"
        ),
    )
    messages.delete(people["member"], UKM, reported.id)
    assert (unsettled_reports.count(reported.ukm_id), published) == (1, [1, 1])
