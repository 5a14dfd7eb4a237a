"""Who gets which notification, by the current rows; and every reason not to notify."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.accounts import accounts
from myukm.domain.actor import Actor
from myukm.domain.chat import broadcast, messages
from myukm.domain.presence import viewing
from myukm.domain.push import preferences, subscriptions
from myukm.domain.ukm import memberships, moderation, unread
from myukm.domain.ukm import settings as ukm_settings
from myukm.extensions import db
from myukm.i18n import campus_timezone
from myukm.models import LoginSession, PushDelivery, PushSubscription, User
from tests.conftest import every_database
from tests.domain.push.conftest import Campus
from tests.support.files import PDF, upload
from tests.support.people import UKM


@every_database
def test_only_a_mention_a_reply_and_an_announcement_notify(
    campus: Campus,
) -> None:
    mega, farhan = campus.subscribe("member"), campus.subscribe("friend")
    campus.say("halo semua")
    assert campus.push() == 0
    first = campus.say("@Mega Lestari ayo latihan")
    assert campus.push() == 1
    assert mega.got[-1] == {
        "title": "Farhan Hakim di UKM Robotika",
        "body": "@Mega Lestari ayo latihan\n2 pesan belum dibaca",
        "path": "/ukm/ROBOTIK/chat",
        "tag": "ukm-ROBOTIK",
        "id": first,
        "badge": 2,
    }
    own = campus.say("oke", who="member")
    answer = campus.say("bagus", reply_to=own)
    campus.push()
    assert mega.got[-1]["id"] == answer
    campus.pin("Latihan pindah ke aula")
    campus.push()
    assert mega.got[-1]["title"] == "Pengumuman UKM Robotika"
    assert mega.got[-1]["body"] == "Latihan pindah ke aula"
    assert campus.push() == 0
    assert len(mega.got) == 3
    assert farhan.got == []
    assert campus.count_deliveries() == 0


def test_the_notification_level_of_the_membership_decides(campus: Campus) -> None:
    mega = campus.subscribe("member")
    campus.set_membership("member", push_all=True)
    last = [campus.say(text) for text in ("satu", "dua", "tiga")][-1]
    campus.push()
    (only,) = mega.got
    assert (only["id"], only["body"]) == (last, "tiga\n3 pesan belum dibaca")
    campus.set_membership("member", notices="mentions")
    campus.say("empat")
    assert campus.push() == 0
    campus.set_membership("member", notices="none")
    campus.say("@Mega Lestari lima")
    campus.pin("penting")
    assert campus.push() == 0
    assert campus.count_deliveries() == 0


def test_texts_and_names_are_hidden_if_the_person_chose_so(campus: Campus) -> None:
    mega = campus.subscribe("member")
    chosen = {"show_text": False, "announcements": True, "staff": True}
    preferences.change(campus.people["member"], **chosen, quiet_from="", quiet_until="")
    campus.say("@Mega Lestari rahasia")
    campus.pin("rahasia juga")
    campus.push()
    assert {(each["title"], each["body"]) for each in mega.got} == {
        ("UKM Robotika", "Ada pesan untuk Anda."),
        ("Pengumuman UKM Robotika", "Ada pengumuman baru."),
    }
    assert "rahasia" not in str(mega.got)
    assert "Farhan" not in str(mega.got)


def test_a_message_of_only_a_file_is_described(
    campus: Campus, client_as: Callable[[str], FlaskClient]
) -> None:
    mega = campus.subscribe("member")
    campus.set_membership("member", push_all=True)
    file = upload(client_as("friend"), PDF, "a.pdf").get_json()
    farhan = db.session.get_one(User, campus.people["friend"])
    message, _new = messages.post(farhan, UKM, "", "f1", files=[file["id"]])
    broadcast.publish(message.ukm_id)
    campus.push()
    (only,) = mega.got
    assert (only["title"], only["body"]) == ("Farhan Hakim di UKM Robotika", "Foto atau berkas")


def test_announcements_do_not_notify_people_who_switched_them_off(campus: Campus) -> None:
    mega = campus.subscribe("member")
    chosen = {"show_text": True, "announcements": False, "staff": True}
    preferences.change(campus.people["member"], **chosen, quiet_from="", quiet_until="")
    campus.pin("Latihan")
    assert campus.push() == 0
    assert mega.got == []


def end_log_in(campus: Campus) -> None:
    accounts.log_out(campus.logins["member"])


def let_log_in_expire(campus: Campus) -> None:
    with transaction() as session:
        old = utcnow() - LoginSession.MAX_IDLE - timedelta(seconds=1)
        session.execute(update(LoginSession).values(seen_at=old))


def block(campus: Campus) -> None:
    with transaction() as session:
        mega = User.id == campus.people["member"]
        session.execute(update(User).where(mega).values(blocked_at=utcnow()))


def remove(campus: Campus) -> None:
    campus.set_membership("friend", is_admin=True)
    moderation.remove(
        Actor(name="Farhan Hakim", user_id=campus.people["friend"]), UKM, campus.people["member"]
    )


def leave(campus: Campus) -> None:
    memberships.leave(campus.people["member"], UKM)


def read(campus: Campus) -> None:
    mine = memberships.get_membership(campus.people["member"], UKM)
    last = db.session.scalars(select(PushDelivery.ref)).one()
    unread.mark_read(mine, last)


def mute(campus: Campus) -> None:
    campus.set_membership("member", notices="none")


def erase(campus: Campus) -> None:
    messages.delete(
        campus.people["friend"], UKM, db.session.scalars(select(PushDelivery.ref)).one()
    )


def switch_off(campus: Campus) -> None:
    subscriptions.unsubscribe(campus.logins["member"])


BEFORE = (end_log_in, let_log_in_expire, block, remove, leave, mute, switch_off)


@pytest.mark.parametrize("change", BEFORE)
def test_no_delivery_is_stored_for_people_without_access_or_subscription(
    campus: Campus, change
) -> None:
    mega = campus.subscribe("member")
    campus.say("@Mega Lestari ayo")
    change(campus)
    assert campus.push() == 0
    assert (mega.got, campus.count_deliveries()) == ([], 0)


@pytest.mark.parametrize("change", [*BEFORE, read, erase])
def test_a_stored_delivery_is_dropped_if_access_or_subscription_end_before(
    campus: Campus, change
) -> None:
    mega = campus.subscribe("member")
    campus.say("@Mega Lestari ayo")
    assert campus.fan_out() == 1
    change(campus)
    assert campus.push() == 0
    assert (mega.got, campus.count_deliveries()) == ([], 0)


def test_a_mentioned_outsider_is_not_notified(campus: Campus) -> None:
    rudi = campus.subscribe("outsider")
    campus.say("@Rudi Hartono halo")
    campus.push()
    assert rudi.got == []


def test_a_delivery_is_postponed_while_its_receiver_views_a_page(campus: Campus) -> None:
    mega = campus.subscribe("member")
    campus.view("member")
    campus.say("@Mega Lestari ayo")
    assert campus.push() == 0
    assert campus.count_deliveries() == 1
    viewing.end(campus.people["member"], "desktop")
    make_due()
    assert campus.push() == 1
    assert len(mega.got) == 1


def test_a_page_in_view_in_one_of_two_browsers_postpones_a_delivery(campus: Campus) -> None:
    campus.subscribe("member")
    for device in ("desktop", "phone"):
        campus.view("member", device)
    viewing.end(campus.people["member"], "phone")
    campus.say("@Mega Lestari ayo")
    assert campus.push() == 0


def test_quiet_hours_postpone_deliveries_and_merge_them_into_one(campus: Campus) -> None:
    mega = campus.subscribe("member")
    local = utcnow().astimezone(campus_timezone())
    begin, end = local - timedelta(minutes=5), local + timedelta(minutes=5)
    hours = {"quiet_from": f"{begin:%H:%M}", "quiet_until": f"{end:%H:%M}"}
    chosen = {"show_text": True, "announcements": True, "staff": True}
    preferences.change(campus.people["member"], **chosen, **hours)
    for text in ("satu", "dua"):
        campus.say(f"@Mega Lestari {text}")
        assert campus.push() == 0
    due = db.session.scalars(select(PushDelivery.due_at)).one()
    assert timedelta(minutes=3) <= due - utcnow() <= timedelta(minutes=5)
    preferences.change(campus.people["member"], **chosen, quiet_from="", quiet_until="")
    make_due()
    assert campus.push() == 1
    assert mega.got[0]["body"] == "@Mega Lestari dua\n2 pesan belum dibaca"


NIGHT = (22 * 60, 5 * 60 + 30)
NOON = (12 * 60, 13 * 60)


@pytest.mark.parametrize(
    ("zone", "hours", "now", "end"),
    [
        ("Asia/Jakarta", NIGHT, "2026-12-01T14:59", None),  # 21:59
        ("Asia/Jakarta", NIGHT, "2026-12-01T15:00", "2026-12-01T22:30"),  # 22:00
        ("Asia/Jakarta", NIGHT, "2026-12-01T17:00", "2026-12-01T22:30"),  # midnight
        ("Asia/Jakarta", NIGHT, "2026-12-01T22:29", "2026-12-01T22:30"),  # 05:29
        ("Asia/Jakarta", NIGHT, "2026-12-01T22:30", None),  # 05:30
        ("Asia/Jayapura", NIGHT, "2026-12-01T12:59", None),  # 21:59
        ("Asia/Jayapura", NIGHT, "2026-12-01T13:00", "2026-12-01T20:30"),  # 22:00
        ("Asia/Jakarta", NOON, "2026-12-01T04:59", None),  # 11:59
        ("Asia/Jakarta", NOON, "2026-12-01T05:30", "2026-12-01T06:00"),  # 12:30
        ("Asia/Jakarta", NOON, "2026-12-01T06:00", None),  # 13:00
    ],
)
def test_quiet_hours_are_in_the_campus_time_zone_and_may_pass_midnight(
    app: Flask, zone: str, hours: tuple[int, int], now: str, end: str | None
) -> None:
    app.config["MYUKM_TIMEZONE"] = zone
    wanted = end and datetime.fromisoformat(f"{end}Z")
    with app.app_context():
        for second in (0, 59):
            moment = datetime.fromisoformat(f"{now}Z").replace(second=second)
            assert preferences.quiet_end(*hours, moment) == wanted


def make_due() -> None:
    with transaction() as session:
        session.execute(update(PushDelivery).values(due_at=utcnow()))


def test_another_account_in_the_same_browser_replaces_the_subscription(campus: Campus) -> None:
    browser = campus.subscribe("member")
    login = accounts.open_session(db.session.get_one(User, campus.people["outsider"]))
    subscriptions.subscribe(login.token_hash, **browser.subscription, lang="en")
    campus.say("@Mega Lestari ayo")
    assert campus.push() == 0
    assert len(db.session.scalars(select(PushSubscription)).all()) == 1


def test_a_new_subscription_gets_no_earlier_messages(campus: Campus) -> None:
    campus.say("@Mega Lestari lama")
    mega = campus.subscribe("member")
    assert campus.push() == 0
    assert mega.got == []


@every_database
def test_deliveries_are_deleted_with_their_log_in(campus: Campus) -> None:
    campus.subscribe("member")
    campus.view("member")
    campus.say("@Mega Lestari ayo")
    campus.push()
    assert campus.count_deliveries() == 1
    with transaction() as session:
        session.execute(delete(LoginSession))
    assert campus.count_deliveries() == 0


def test_a_read_announcement_does_not_notify(campus: Campus) -> None:
    mega, oki = campus.subscribe("member"), campus.subscribe("operator")
    memberships.join(campus.people["operator"], UKM)
    campus.pin("Latihan pindah ke aula")
    campus.fan_out()
    unread.mark_read(memberships.get_membership(campus.people["member"], UKM), 0)
    assert campus.push() == 1
    assert (len(mega.got), len(oki.got), campus.count_deliveries()) == (0, 1, 0)


def test_an_announcement_does_not_notify_after_announcements_are_switched_off(
    campus: Campus,
) -> None:
    campus.subscribe("member")
    campus.pin("Latihan pindah ke aula")
    campus.fan_out()
    preferences.change(
        campus.people["member"],
        show_text=True,
        announcements=False,
        staff=True,
        quiet_from="",
        quiet_until="",
    )
    assert campus.push() == 0
    assert campus.count_deliveries() == 0


def test_messages_and_the_announcement_of_an_archived_ukm_do_not_notify(campus: Campus) -> None:
    mega = campus.subscribe("member")
    campus.say("@Mega Lestari ayo")
    campus.pin("Latihan pindah ke aula")
    assert campus.fan_out() == 2
    by_campus = Actor(name="Siti Rahma", user_id=campus.people["admin"], campus=True)
    ukm_settings.archive(by_campus, UKM)
    assert campus.push() == 0
    assert (mega.got, campus.count_deliveries()) == ([], 0)
