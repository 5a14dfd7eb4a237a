"""Notifications in a real browser: subscribing, pushed messages, and when none is shown.

Chromium reaches no push service here: the test makes the subscription, and delivers the messages of
a push service through DevTools.
"""

import json
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import CDPSession, Page, Route, expect
from sqlalchemy import delete, select

from myukm.db.session import transaction
from myukm.domain.push import fan_out, pending
from myukm.extensions import db
from myukm.models import PushDelivery, PushSubscription, Ukm
from tests.browser.conftest import OtherMembers
from tests.support.people import UKM
from tests.support.push_service import FakeBrowser
from tests.support.waiting import wait_until

pytestmark = pytest.mark.service_worker
OpenAs = Callable[..., Page]
PATH = "/profile/notifications"
# Like a real one it keeps the subscription when the page is loaded again.
FAKE_PUSH_MANAGER = """(subscription) => {
  const unsubscribe = async () => sessionStorage.removeItem("subscribedTo");
  const made = { ...subscription, toJSON: () => subscription, unsubscribe };
  PushManager.prototype.getSubscription = async () => (sessionStorage.subscribedTo ? made : null);
  PushManager.prototype.subscribe = async (options) => {
    sessionStorage.subscribedTo = options.applicationServerKey.length;
    return made;
  };
}"""
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.ready;
  const shown = await registration.getNotifications();
  const fields = ["title", "body", "tag", "data", "silent", "renotify"];
  return shown.map((each) => Object.fromEntries(fields.map((name) => [name, each[name]])));
}"""
HIDE_PAGE = """() => {
  Object.defineProperty(Document.prototype, "hidden", { get: () => true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
MESSAGE = {
    "title": "Farhan Hakim di UKM Robotika",
    "body": "Latihan jam 4",
    "path": "/ukm/ROBOTIK/chat",
    "tag": "ukm-ROBOTIK",
    "id": 7,
    "badge": 3,
}


@pytest.fixture
def browser() -> FakeBrowser:
    return FakeBrowser("https://push.example.com", "mega")


def open_page(open_as: OpenAs, browser: FakeBrowser) -> Page:
    page = open_as("member", PATH)
    page.context.grant_permissions(["notifications"])
    subscribe_to(page, browser)
    page.reload()
    return page


def open_subscribed_page(open_as: OpenAs, browser: FakeBrowser) -> Page:
    """Return the page after its button has switched notifications on."""
    page = open_page(open_as, browser)
    page.get_by_role("button", name="Aktifkan di perangkat ini").click()
    expect(page.get_by_text("Aktif", exact=True)).to_be_visible()
    return page


def subscribe_to(page: Page, browser: FakeBrowser) -> None:
    """Make this the subscription of the pages that are loaded from now on."""
    page.context.add_init_script(f"({FAKE_PUSH_MANAGER})({json.dumps(as_json(browser))})")


def as_json(browser: FakeBrowser) -> dict:
    """Return the subscription in the form that browsers give it."""
    keys = {name: browser.subscription[name] for name in ("p256dh", "auth")}
    return {"endpoint": browser.subscription["endpoint"], "keys": keys}


class DevTools:
    """Delivers messages to a page's service worker, in place of a push service."""

    def __init__(self, page: Page) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.registration_ids: list[str] = []
        self.session.on("ServiceWorker.workerRegistrationUpdated", self._record)
        self.session.send("ServiceWorker.enable")
        wait_until(lambda: page.wait_for_timeout(20) or self.registration_ids, 30, "a registration")
        # A push to a worker that is not active yet is lost.
        page.wait_for_function("() => navigator.serviceWorker.ready")

    def _record(self, event: dict) -> None:
        self.registration_ids += [each["registrationId"] for each in event["registrations"]]

    def push(self, page: Page, message: dict) -> None:
        origin = page.evaluate("location.origin")
        self.session.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": origin,
                "registrationId": self.registration_ids[-1],
                "data": json.dumps(message),
            },
        )


def stored(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(PushSubscription.endpoint)))


def test_the_buttons_subscribe_and_unsubscribe(
    app: Flask, open_as: OpenAs, browser: FakeBrowser
) -> None:
    page = open_subscribed_page(open_as, browser)
    assert page.evaluate("sessionStorage.subscribedTo") == "65"
    assert stored(app) == [browser.subscription["endpoint"]]
    page.get_by_role("button", name="Kirim percobaan").click()
    expect(page.locator(".toast")).to_contain_text("Percobaan dikirim")
    page.get_by_role("button", name="Matikan").click()
    expect(page.get_by_role("button", name="Aktifkan di perangkat ini")).to_be_visible()
    assert stored(app) == []


def open_unknown_subscription(app: Flask, open_as: OpenAs, browser: FakeBrowser) -> Page:
    """Return a page whose browser is subscribed, though the server has deleted the subscription."""
    page = open_subscribed_page(open_as, browser)
    with app.app_context(), transaction() as session:
        session.execute(delete(PushSubscription))
    return page


def test_the_page_renews_a_subscription_that_the_server_has_deleted(
    app: Flask, open_as: OpenAs, browser: FakeBrowser
) -> None:
    page = open_unknown_subscription(app, open_as, browser)
    page.reload()
    expect(page.get_by_text("Aktif", exact=True)).to_be_visible()
    assert stored(app) == [browser.subscription["endpoint"]]


def test_the_page_is_off_if_a_deleted_subscription_cannot_be_renewed(
    app: Flask, open_as: OpenAs, browser: FakeBrowser, console_errors: list[str]
) -> None:
    page = open_unknown_subscription(app, open_as, browser)
    page.route("**/push/subscription", lambda route: route.abort())
    page.reload()
    expect(page.get_by_role("button", name="Aktifkan di perangkat ini")).to_be_visible()
    console_errors[:] = [line for line in console_errors if "/push/subscription" not in line]


def test_a_subscription_that_the_browser_renewed_is_stored_by_the_next_page(
    app: Flask, open_as: OpenAs, browser: FakeBrowser
) -> None:
    """The service worker stores it at once, but may fail."""
    page = open_subscribed_page(open_as, browser)
    renewed = FakeBrowser("https://push.example.com", "renewed")
    subscribe_to(page, renewed)
    with page.expect_response("**/push/subscription"):
        page.evaluate("location.assign('/profile')")
    assert stored(app) == [renewed.subscription["endpoint"]]


@pytest.mark.parametrize("is_subscribed", [True, False])
def test_the_service_worker_stores_a_renewed_subscription_of_this_log_in_only(
    app: Flask, open_as: OpenAs, browser: FakeBrowser, is_subscribed: bool
) -> None:
    page = (open_subscribed_page if is_subscribed else open_page)(open_as, browser)
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    renewed = FakeBrowser("https://push.example.com", "renewed")
    # The handler itself, because an event of a script may not prolong the worker's life.
    handle = "(subscription) => renewed({ newSubscription: { toJSON: () => subscription } })"
    page.context.service_workers[0].evaluate(handle, as_json(renewed))
    assert stored(app) == ([renewed.subscription["endpoint"]] if is_subscribed else [])


def test_a_renewal_that_is_still_being_sent_does_not_bring_a_subscription_back(
    app: Flask, open_as: OpenAs, browser: FakeBrowser
) -> None:
    page = open_subscribed_page(open_as, browser)
    renewals: list[Route] = []

    def hold_renewal(route: Route) -> None:
        renewals.append(route) if route.request.method == "PUT" else route.continue_()

    page.route("**/push/subscription", hold_renewal)
    page.evaluate("""() => {
        const key = Object.keys(localStorage).find((key) => key.startsWith("push:"));
        const sent = JSON.parse(localStorage.getItem(key));
        localStorage.setItem(key, JSON.stringify({ ...sent, at: 0 }));
    }""")
    page.reload()
    wait_until(lambda: renewals or page.wait_for_timeout(50), 30, "the renewal")
    page.get_by_role("button", name="Matikan").click()
    waiting = "async () => (await navigator.locks.query()).pending.some((l) => l.name === 'push')"
    wait_until(lambda: not stored(app) or page.evaluate(waiting), 30, "the button's effect")
    renewals[0].continue_()
    expect(page.get_by_role("button", name="Aktifkan di perangkat ini")).to_be_visible()
    wait_until(lambda: not stored(app), 30, "the end of the subscription")


def test_the_page_says_how_to_allow_blocked_notifications(open_as: OpenAs) -> None:
    page = open_as("member", PATH)
    page.add_init_script(
        "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })"
    )
    page.reload()
    expect(page.get_by_text("Peramban ini melarang")).to_be_visible()


def test_a_pushed_message_is_not_shown_while_a_page_is_visible(
    open_as: OpenAs, browser: FakeBrowser
) -> None:
    page = open_subscribed_page(open_as, browser)
    tools = DevTools(page)
    tools.push(page, MESSAGE)
    tools.push(page, {**MESSAGE, "tag": "test", "id": 1, "title": "Percobaan"})
    wait_until(lambda: page.evaluate(SHOWN), 30, "the test notification")
    assert [each["tag"] for each in page.evaluate(SHOWN)] == ["test"]


def open_picture(open_as: OpenAs, browser: FakeBrowser) -> tuple[Page, DevTools]:
    """Return a picture of the site, which holds no notification back, and the tools to push."""
    page = open_page(open_as, browser)
    tools = DevTools(page)
    page.goto(page.evaluate("document.querySelector('link[rel=apple-touch-icon]').href"))
    return page, tools


def test_a_pushed_message_is_shown_if_only_a_picture_is_visible(
    open_as: OpenAs, browser: FakeBrowser, console_errors: list[str]
) -> None:
    page, tools = open_picture(open_as, browser)
    tools.push(page, MESSAGE)
    wait_until(lambda: page.evaluate(SHOWN), 30, "the message")
    console_errors.clear()  # our policy forbids the styles with which Chromium shows a picture


def test_an_older_push_that_arrives_late_leaves_the_newer_notification(
    open_as: OpenAs, browser: FakeBrowser, console_errors: list[str]
) -> None:
    page, tools = open_picture(open_as, browser)
    tools.push(page, MESSAGE)
    tools.push(page, {**MESSAGE, "id": 6, "body": "Latihan jam 3"})
    tools.push(page, {**MESSAGE, "id": 1, "tag": "ukm-PADUS"})  # shown after both
    wait_until(lambda: len(page.evaluate(SHOWN)) == 2, 30, "both UKMs")
    (shown,) = (each for each in page.evaluate(SHOWN) if each["tag"] == MESSAGE["tag"])
    assert (shown["body"], shown["data"]["id"], shown["silent"]) == ("Latihan jam 4", 7, True)
    console_errors.clear()  # as above


def test_the_button_unsubscribes_though_the_server_does_not_respond(
    open_as: OpenAs, browser: FakeBrowser, console_errors: list[str]
) -> None:
    page = open_subscribed_page(open_as, browser)
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError()); }")
    page.get_by_role("button", name="Matikan").click()
    expect(page.get_by_role("button", name="Aktifkan di perangkat ini")).to_be_visible()
    current = "async () => (await navigator.serviceWorker.ready).pushManager.getSubscription()"
    assert page.evaluate(current) is None


def test_a_mention_is_pushed_only_when_no_page_is_visible(
    app: Flask, open_as: OpenAs, other_members: OtherMembers, browser: FakeBrowser
) -> None:
    page = open_subscribed_page(open_as, browser)

    other_members.say("@Mega Lestari halo")
    with app.app_context():
        fan_out.fan_out(db.session.scalars(select(Ukm.id).where(Ukm.code == UKM)).one())
        ids = db.session.scalars(select(PushDelivery.id)).all()

    def would_be_pushed() -> bool:
        """Return whether the mention would be pushed now."""
        with app.app_context():
            return any(entry.notification for entry in pending.entries(ids))

    assert not would_be_pushed()
    page.evaluate(HIDE_PAGE)
    wait_until(would_be_pushed, 30, "the mention is pushed")
