"""The page of notification preferences, and the subscription of a browser until its end."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from myukm.domain.push import endpoints, subscriptions
from myukm.extensions import db
from myukm.models import Membership, PushDelivery, PushPreference, PushSubscription
from tests.support.people import PASSWORD, UKM
from tests.support.push_service import FakeBrowser

ClientAs = Callable[[str], FlaskClient]
ENDPOINT = "https://push.example.com"


def subscribe(client: FlaskClient, name: str = "x") -> FakeBrowser:
    browser = FakeBrowser(ENDPOINT, name)
    answer = client.put("/push/subscription", json=browser.subscription)
    assert answer.status_code == 204, answer.data
    return browser


def subscribed(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(PushSubscription.endpoint)))


def test_a_browser_subscribes_and_unsubscribes(app: Flask, client_as: ClientAs) -> None:
    mega = client_as("member")
    browser = subscribe(mega)
    subscribe(mega)
    assert subscribed(app) == [browser.subscription["endpoint"]]
    assert mega.get("/profile/notifications", headers={"Accept": "application/json"}).json[
        "subscribed"
    ]
    renewed = subscribe(mega, "renewed")
    assert subscribed(app) == [renewed.subscription["endpoint"]]
    for _ in range(2):
        assert mega.delete("/push/subscription").status_code == 204
    assert subscribed(app) == []


def test_a_browser_renews_only_the_subscription_of_this_log_in(
    app: Flask, client_as: ClientAs
) -> None:
    mega, renewed = client_as("member"), FakeBrowser(ENDPOINT, "renewed")
    answer = mega.patch("/push/subscription", json=renewed.subscription)
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "not_subscribed")
    assert subscribed(app) == []
    subscribe(mega)
    assert mega.patch("/push/subscription", json=renewed.subscription).status_code == 204
    assert subscribed(app) == [renewed.subscription["endpoint"]]


def test_if_two_tabs_subscribe_at_once_one_gets_409_try_again(
    client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    mega = client_as("member")
    browser = subscribe(mega)
    # This request reads before the other tab's commit.
    monkeypatch.setattr(subscriptions, "find", lambda _login: None)
    answer = mega.put("/push/subscription", json=browser.subscription)
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "try_again")
    assert "Coba lagi." in answer.json["error"]["message"]


def log_out(client: FlaskClient) -> None:
    assert client.post("/logout").status_code == 303


def log_out_everywhere(client: FlaskClient) -> None:
    assert client.post("/profile/logout-everywhere").status_code == 303


def delete_account(client: FlaskClient) -> None:
    assert client.post("/profile/delete", data={"password": PASSWORD}).status_code == 303


@pytest.mark.parametrize("ends", [log_out, log_out_everywhere, delete_account])
def test_a_subscription_ends_with_its_log_in(app: Flask, client_as: ClientAs, ends) -> None:
    mega = client_as("member")
    mega.post("/profile/notifications", data={"show_text": "true"})
    subscribe(mega)
    ends(mega)
    assert subscribed(app) == []


def test_a_changed_password_ends_the_subscriptions_of_other_browsers(
    app: Flask, client_as: ClientAs
) -> None:
    here, elsewhere = client_as("member"), client_as("member")
    kept = subscribe(here, "here")
    subscribe(elsewhere, "elsewhere")
    change = {"old": PASSWORD, "new": "kata-sandi-baru-sekali"}
    assert here.post("/profile/password", data=change).status_code == 303
    assert subscribed(app) == [kept.subscription["endpoint"]]


def test_blocking_an_account_ends_its_subscription(app: Flask, client_as: ClientAs, people) -> None:
    subscribe(client_as("member"))
    client_as("admin").post(f"/admin/users/{people['member']}/block", data={"blocked": "true"})
    assert subscribed(app) == []


def test_stored_choices_are_shown_again(client_as: ClientAs) -> None:
    mega = client_as("member")
    chosen: dict[str, object] = {"show_text": False, "announcements": True, "staff": False}
    chosen |= {"quiet_from": "22:00", "quiet_until": "05:30"}
    assert mega.post("/profile/notifications", json=chosen).status_code == 200
    answer = mega.get("/profile/notifications", headers={"Accept": "application/json"}).json
    assert {name: answer[name] for name in chosen} == chosen
    page = mega.get("/profile/notifications").text
    assert 'value="22:00"' in page
    assert 'value="05:30"' in page


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        (("22:00", ""), "Isi kedua jam tenang"),
        (("", "05:00"), "Isi kedua jam tenang"),
        (("25:00", "05:00"), "Tulis jam seperti"),
        (("22.00", "05:00"), "Tulis jam seperti"),
        (("05:00", "05:00"), "harus berbeda"),
    ],
)
def test_wrong_hours_are_refused_with_a_message(
    app: Flask, client_as: ClientAs, hours: tuple[str, str], why: str
) -> None:
    sent = {"show_text": "true", "quiet_from": hours[0], "quiet_until": hours[1]}
    answer = client_as("member").post("/profile/notifications", data=sent)
    assert answer.status_code == 422
    assert why in answer.get_data(as_text=True)
    with app.app_context():
        assert db.session.scalars(select(PushPreference)).all() == []


def test_each_role_is_offered_its_own_notifications(client_as: ClientAs) -> None:
    texts = {
        "member": None,
        "operator": "Peringatan sistem",
        "bendahara": "Sinkronisasi yang berakhir",
        "admin": "Sinkronisasi yang berakhir",
    }
    for who, text in texts.items():
        page = client_as(who).get("/profile/notifications").text
        found = {each for each in texts.values() if each and each in page}
        assert found == ({text} if text else set())


def test_only_members_choose_push_for_every_message_of_a_ukm(
    app: Flask, client_as: ClientAs
) -> None:
    path = f"/ukm/{UKM}/push"
    assert client_as("member").put(path, json={"every": True}).status_code == 204
    assert client_as("outsider").put(path, json={"every": True}).status_code == 404
    assert client_as("nobody").put(path, json={"every": True}).status_code == 401
    with app.app_context():
        chosen = db.session.scalars(select(Membership.push_all).order_by(Membership.id)).all()
        assert sorted(chosen) == [False, False, True]


def test_a_test_notification_needs_a_subscription_and_is_limited(
    app: Flask, client_as: ClientAs
) -> None:
    mega = client_as("member")
    assert mega.post("/push/test").status_code == 409
    subscribe(mega)
    assert mega.post("/push/test").status_code == 204
    with app.app_context():
        (waiting,) = db.session.scalars(select(PushDelivery)).all()
        assert waiting.kind == "test"
    assert [mega.post("/push/test").status_code for _ in range(5)][-1] == 429


def test_an_endpoint_in_a_private_network_is_refused(app: Flask, client_as: ClientAs) -> None:
    browser = FakeBrowser("https://169.254.169.254", "x")
    answer = client_as("member").put("/push/subscription", json=browser.subscription)
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "bad_endpoint")
    assert not endpoints.is_public("10.1.2.3")
    assert subscribed(app) == []


def test_the_data_export_has_push_services_but_no_endpoints(client_as: ClientAs) -> None:
    mega = client_as("member")
    subscribe(mega, "geheim")
    text = mega.get("/profile/data").get_data(as_text=True)
    assert "push.example.com" in text
    assert "geheim" not in text


def test_the_service_worker_has_the_url_of_the_static_files(app: Flask) -> None:
    with app.test_client().get("/sw.js") as answer:
        assert answer.mimetype == "text/javascript"
        assert answer.headers["Cache-Control"] == "no-cache"
        first = answer.get_data(as_text=True).partition("\n")[0]
    assert first.startswith('const STATIC = "/static/v-')
    with app.test_client().get(first.split('"')[1] + "icons/icon-192.png") as icon:
        assert icon.status_code == 200
