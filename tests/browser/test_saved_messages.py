"""Messages that are saved for times without network, in a browser without a service worker.

While one takes control of a page, `page.route` may miss that page's requests.
"""

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import OtherMembers
from tests.support.people import UKM

OpenAs = Callable[..., Page]

# Sets `answerRead` when the page has read a response with messages.
ANSWER_READ = """() => {
  const { json } = Response.prototype;
  Response.prototype.json = async function () {
    const body = await json.call(this);
    if (this.url.includes("/messages?")) setTimeout(() => (window.answerRead = true));
    return body;
  };
}"""


def saved_keys(page: Page) -> list[str]:
    return page.evaluate("Object.keys(localStorage).filter((key) => /saved|saving|room/.test(key))")


def test_nothing_is_saved_if_saving_is_switched_off_during_the_request(
    open_as: OpenAs, other_members: OtherMembers
) -> None:
    other_members.say("hanya untuk anggota")
    page = open_as("member", "/profile/notifications")
    page.evaluate(ANSWER_READ)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/messages?limit=*", hold)
    switch = page.get_by_label("Simpan di perangkat ini 50 pesan")
    with page.expect_request("**/messages?limit=*"):
        switch.check()
    switch.uncheck()
    held[0].continue_()
    page.wait_for_function("() => window.answerRead")
    assert saved_keys(page) == []
    expect(switch).not_to_be_checked()


def test_messages_saved_by_another_account_are_deleted_when_a_page_opens(open_as: OpenAs) -> None:
    page = open_as("member", f"/ukm/{UKM}/chat")
    page.evaluate("localStorage.setItem('saved:99:ROBOTIK', '{}')")
    page.reload()
    page.wait_for_selector("html[data-stream=open]")
    assert [key for key in saved_keys(page) if ":99:" in key] == []
