"""A real browser, Debian's Chromium, driven by Playwright. Any console error fails the test.

Most tests use Chromium's headless shell if it is installed: the same engine without the processes
of window and toolbars, which take a third of a test's CPU time. Tests marked `service_worker` use
the full browser, because the headless shell shows no notifications.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Route,
    expect,
    sync_playwright,
)
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.domain.actor import Actor
from myukm.domain.chat import broadcast, messages
from myukm.domain.presence import tracker
from myukm.domain.ukm import memberships, moderation, unread
from myukm.extensions import db
from myukm.live import pubsub
from myukm.models import User
from tests.support.people import NAMES, PASSWORD, UKM
from tests.support.programs import WebServer
from tests.support.servers import need

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# Long, because machines are busy; a condition that comes true ends the wait at once.
TIMEOUT_MS = 30_000
expect.set_options(timeout=TIMEOUT_MS)
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
# Most tests run without service worker, because it would cache the app shell again in each test's
# browser, and answer requests in place of `route()`.
NO_SERVICE_WORKERS = "Object.defineProperty(navigator, 'serviceWorker', { value: undefined })"


def check_axe(page: Page) -> None:
    """Assert that axe finds no violation on the page as it is now."""
    page.emulate_media(reduced_motion="reduce")  # during a fade-in the contrast is too low
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def drop_stream_errors(console_errors: list[str]) -> None:
    """Drop the errors of streams that were cut, or refused because the session is over."""
    console_errors[:] = [line for line in console_errors if "/stream?" not in line]


def send_unknown_cursor(route: Route) -> None:
    """Send the request for the stream with a cursor that the server does not know."""
    bare = re.sub(r"[?&]cursor=[^&]*", "", route.request.url)
    route.continue_(url=bare.replace("?", "?cursor=999999999&"))


def miss_events(page: Page) -> None:
    """Reconnect the page's stream with an unknown cursor, so that nothing can be replayed."""
    page.route("**/stream?*", send_unknown_cursor, times=1)
    page.evaluate("() => dispatchEvent(new Event('online'))")


@contextmanager
def cut_stream(page: Page, console_errors: list[str]) -> Iterator[None]:
    """Abort the page's requests for the stream inside the `with` block."""
    page.wait_for_selector("html[data-stream=open]")
    page.route("**/stream?*", lambda route: route.abort())
    page.evaluate("() => dispatchEvent(new Event('online'))")
    page.wait_for_selector("html[data-stream=lost]")
    yield
    page.unroute("**/stream?*")
    drop_stream_errors(console_errors)


def check_current_look(page: Page) -> None:
    """Assert that axe finds nothing and nothing scrolls sideways on the page as it is now."""
    check_axe(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def each_appearance(page: Page) -> Iterator[None]:
    """Switch the page in turn to phone and desktop size, each in light and dark."""
    for size in (PHONE, DESKTOP):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            yield


def check_look(page: Page) -> None:
    """Assert that axe finds nothing and nothing scrolls sideways, in each appearance."""
    for _appearance in each_appearance(page):
        check_current_look(page)


def submit_log_in(page: Page, who: str) -> None:
    """Fill in and submit the log-in form that the page shows."""
    page.fill("[name=nim]", NAMES[who][0])
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Playwright, for this package only, because its event loop would disturb other tests."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def full_chromium(playwright: Playwright) -> Iterator[Browser]:
    """The full browser, headless."""
    path = need(shutil.which("chromium"), "chromium")
    with playwright.chromium.launch(executable_path=path, args=ARGUMENTS) as browser:
        yield browser


@pytest.fixture(scope="package")
def chromium_shell(playwright: Playwright) -> Iterator[Browser]:
    """The headless shell, a package of its own; the full browser if it is not installed."""
    path = need(shutil.which("chromium-headless-shell") or shutil.which("chromium"), "chromium")
    with playwright.chromium.launch(executable_path=path, args=ARGUMENTS) as browser:
        yield browser


@pytest.fixture
def chromium(request: pytest.FixtureRequest) -> Browser:
    """The browser that this test needs."""
    full = request.node.get_closest_marker("service_worker")
    browser: Browser = request.getfixturevalue("full_chromium" if full else "chromium_shell")
    return browser


@pytest.fixture
def console_errors() -> list[str]:
    """Errors and warnings of the console; a test removes the errors that it expects."""
    return []


@pytest.fixture
def open_as(
    chromium: Browser,
    web: WebServer,
    session_cookie: Callable[[str], tuple[str, str]],
    console_errors: list[str],
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Page]]:
    """`open_as("member", "/ukm")` opens a page in a browser where that person is logged in."""
    contexts: dict[str, BrowserContext] = {}

    def record(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            console_errors.append(f"{message.text} {message.location.get('url', '')}")

    def open_page(who: str, path: str, size: dict[str, int] = DESKTOP) -> Page:
        if who not in contexts:
            contexts[who] = chromium.new_context(viewport=size, locale="id-ID")  # type: ignore[arg-type]
            contexts[who].set_default_timeout(TIMEOUT_MS)
            if not request.node.get_closest_marker("service_worker"):
                contexts[who].add_init_script(NO_SERVICE_WORKERS)
            contexts[who].on("console", record)
            contexts[who].on("weberror", lambda error: console_errors.append(str(error.error)))
            name, value = session_cookie(who)
            contexts[who].add_cookies([{"name": name, "value": value, "url": web.url}])
        page = contexts[who].new_page()
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(f"{web.url}{path}")
        page.wait_for_selector("html:not(:has([data-module]:not([data-mounted])))")
        return page

    yield open_page
    for context in contexts.values():
        context.close()
    assert not console_errors


class OtherMembers:
    """Members who act without a browser, mostly Farhan."""

    def __init__(self, app: Flask, people: dict[str, int]) -> None:
        self.app, self.people, self.message_count = app, people, 0

    def say(self, *texts: str, who: str = "friend", reply_to: int | None = None) -> int:
        """Post to ROBOTIK, publish, and return the last message's id."""
        with self.app.app_context():
            author = db.session.get_one(User, self.people[who])
            for text in texts:
                self.message_count += 1
                message, _ = messages.post(author, UKM, text, f"f{self.message_count}", reply_to)
            broadcast.publish(message.ukm_id)
        return message.id

    def update_membership(self, who: str = "member", **values: object) -> None:
        """Change a membership in ROBOTIK."""
        with self.app.app_context(), transaction():
            membership = memberships.get_membership(self.people[who], UKM)
            for name, value in values.items():
                setattr(membership, name, value)

    def type(self, name: str) -> None:
        """Publish that somebody of this name is typing."""
        with self.app.app_context():
            pubsub.publish_transient(
                f"ukm:{UKM}", "chat.typing", {"ukm": UKM, "user_id": 0, "name": name}
            )

    def reset_rate_limit(self) -> None:
        """Delete everybody's recent acts, so that no rate limit applies."""
        with self.app.app_context(), transaction() as session:
            session.execute(update(User).values(recent_acts=""))

    def remove(self, who: str) -> None:
        """Remove a member from ROBOTIK."""
        self.update_membership("friend", is_admin=True)
        with self.app.app_context():
            friend = Actor(user_id=self.people["friend"], name="Farhan Hakim")
            moderation.remove(friend, UKM, self.people[who])

    def unread(self, who: str = "member") -> int:
        """Return how many messages of ROBOTIK a person has not read."""
        with self.app.app_context():
            (counted,) = unread.counts([self.people[who]])[self.people[who]]
            return int(counted["count"])

    def streams(self, who: str = "member") -> int:
        """Return how many streams a person has open."""
        with self.app.app_context():
            return tracker.count_streams([self.people[who]]).total()


@pytest.fixture
def other_members(app: Flask, people: dict[str, int]) -> OtherMembers:
    """The other members of ROBOTIK."""
    return OtherMembers(app, people)
