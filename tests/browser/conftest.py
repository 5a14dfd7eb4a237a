"""A real browser: Debian's Chromium, driven by Playwright. Any console error fails the test."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.support.people import NAMES, PASSWORD
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
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser process for the session."""
    path = need(shutil.which("chromium"), "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complained about; a test that expects some removes it."""
    return []


@pytest.fixture
def open_as(
    chromium: Browser, web: WebServer, people: dict[str, int], complaints: list[str]
) -> Iterator[Callable[..., Page]]:
    """`open_as("member", "/ukm")` logs a person in through the form and opens a page."""
    contexts: dict[str, BrowserContext] = {}

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.text} {message.location.get('url', '')}")

    def open_page(who: str, path: str, size: dict[str, int] = DESKTOP) -> Page:
        if who not in contexts:
            contexts[who] = chromium.new_context(viewport=size, locale="id-ID")  # type: ignore[arg-type]
            contexts[who].set_default_timeout(15_000)
            contexts[who].on("console", note)
            contexts[who].on("weberror", lambda error: complaints.append(str(error.error)))
            log_in(contexts[who].new_page(), who)
        page = contexts[who].new_page()
        page.set_viewport_size(size)  # type: ignore[arg-type]
        page.goto(f"{web.url}{path}")
        return page

    def log_in(page: Page, who: str) -> None:
        page.goto(f"{web.url}/login")
        page.fill("[name=nim]", NAMES[who][0])
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        page.close()

    yield open_page
    for context in contexts.values():
        context.close()
    assert not complaints
