"""Two people chat; one of them has a bad network."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import DESKTOP, PHONE, OtherMembers, submit_log_in

OpenAs = Callable[..., Page]
ROOM = "/ukm/ROBOTIK/chat"
LIVE = '[data-stream="open"]'


def open_room(open_as: OpenAs, who: str) -> Page:
    page = open_as(who, ROOM, PHONE)
    page.wait_for_selector(LIVE)
    return page


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Tulis pesan").fill(text)
    page.keyboard.press("Enter")


def test_two_people_talk_though_no_worker_runs(open_as: OpenAs) -> None:
    mega, farhan = open_room(open_as, "member"), open_room(open_as, "friend")
    say(mega, "Latihan jam 4 ya? <b>😀</b> \"kutip\" & 'petik'")
    for page in (mega, farhan):
        expect(page.get_by_role("log")).to_contain_text("<b>😀</b> \"kutip\" & 'petik'")
    say(farhan, "Siap!")
    expect(mega.get_by_role("log")).to_contain_text("Siap!")
    expect(mega.locator("#messages")).to_contain_text(re.compile("😀.*Siap!", re.DOTALL))


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_conversation_opens_exactly_at_its_end_and_only_its_messages_scroll(
    other_members: OtherMembers, open_as: OpenAs, size: dict[str, int]
) -> None:
    other_members.say(*[f"isi {n}" + "\n" * 4 + "." for n in range(15)], who="member")
    page = open_as("member", ROOM, size)
    expect(page.locator(".message-chunk").last).to_have_class(re.compile("is-settled"))
    timeline = page.locator("#timeline")
    assert timeline.evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight") < 1
    assert page.evaluate("document.documentElement.scrollHeight - innerHeight") == 0


def test_messages_typed_without_a_network_are_sent_once_when_it_is_back(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    mega, farhan = open_room(open_as, "member"), open_room(open_as, "friend")
    mega.context.set_offline(True)
    say(mega, "dari lorong tanpa sinyal")
    expect(mega.get_by_role("log")).to_contain_text("dari lorong tanpa sinyal")
    mega.context.set_offline(False)
    expect(farhan.get_by_role("log")).to_contain_text("dari lorong tanpa sinyal")
    mega.reload()
    said = mega.get_by_role("log").get_by_text("dari lorong tanpa sinyal")
    expect(said).to_have_count(1)
    console_errors[:] = [c for c in console_errors if "ERR_INTERNET_DISCONNECTED" not in c]


def test_messages_answered_by_a_wifi_log_in_page_are_sent_later(
    open_as: OpenAs,
) -> None:
    mega, farhan = open_room(open_as, "member"), open_room(open_as, "friend")
    portal = {"status": 200, "content_type": "text/html", "body": "<title>Wi-Fi</title>"}
    mega.route("**/messages", lambda route: route.fulfill(**portal))
    say(mega, "di balik portal")
    expect(mega.get_by_role("log")).to_contain_text("menunggu jaringan")
    mega.unroute("**/messages")
    expect(farhan.get_by_role("log")).to_contain_text("di balik portal")
    say(mega, "sesudahnya")
    expect(farhan.get_by_role("log")).to_contain_text("sesudahnya")


def test_a_message_without_a_response_is_sent_again(open_as: OpenAs) -> None:
    mega, farhan = open_room(open_as, "member"), open_room(open_as, "friend")
    mega.evaluate("""() => {
        const timeout = AbortSignal.timeout.bind(AbortSignal);
        AbortSignal.timeout = (wait) => timeout(wait / 20);
    }""")
    swallowed = []

    def swallow(route: Route) -> None:
        swallowed.append(route)

    mega.route("**/messages", swallow, times=1)
    say(mega, "lewat lorong")
    expect(farhan.get_by_role("log")).to_contain_text("lewat lorong")
    assert len(swallowed) == 1


def test_waiting_messages_are_sent_after_the_next_log_in_of_their_author(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    mega, farhan = open_room(open_as, "member"), open_room(open_as, "friend")
    mega.route("**/messages", lambda route: route.abort())
    say(mega, "sebelum keluar")
    expect(mega.get_by_role("log")).to_contain_text("menunggu jaringan")
    mega.context.clear_cookies()
    mega.unroute("**/messages")
    expect(mega.get_by_role("log")).to_contain_text("Silakan masuk dulu")
    mega.reload()
    submit_log_in(mega, "member")
    expect(farhan.get_by_role("log")).to_contain_text("sebelum keluar")
    expected = re.compile("ERR_FAILED|status of 401")
    console_errors[:] = [c for c in console_errors if not expected.search(c)]


def test_waiting_messages_are_not_sent_by_another_account_that_logs_in(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    offline_page, friend = open_room(open_as, "member"), open_room(open_as, "friend")
    network = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    cdp = offline_page.context.new_cdp_session(offline_page)
    cdp.send("Network.emulateNetworkConditions", network)
    say(offline_page, "dari Mega")
    expect(offline_page.get_by_role("log")).to_contain_text("menunggu jaringan")
    offline_page.context.clear_cookies()
    other_page = open_as("member", ROOM, PHONE)
    submit_log_in(other_page, "friend")
    other_page.wait_for_selector(LIVE)
    cdp.send("Network.emulateNetworkConditions", {**network, "offline": False})
    expect(offline_page.locator("#chat")).to_have_attribute("data-author-name", "Farhan Hakim")
    expect(friend.locator(".message")).to_have_count(0)
    offline_page.wait_for_selector(LIVE)
    expected = re.compile("ERR_INTERNET_DISCONNECTED|status of 40[14]")
    console_errors[:] = [c for c in console_errors if not expected.search(c)]


def test_the_unread_count_of_another_page_is_live(open_as: OpenAs) -> None:
    list_page = open_as("friend", "/ukm", PHONE)
    list_page.wait_for_selector(LIVE)
    mega = open_room(open_as, "member")
    say(mega, "satu")
    say(mega, "dua")
    card = list_page.locator("[data-code=ROBOTIK]")
    expect(card).to_contain_text("2 pesan belum dibaca")
    unread = list_page.get_by_role("link", name=re.compile("2 pesan belum dibaca"))
    expect(unread).to_be_visible()


def test_a_deleted_message_is_replaced_by_a_note(open_as: OpenAs) -> None:
    mega, farhan = open_room(open_as, "member"), open_room(open_as, "friend")
    say(mega, "salah kirim")
    expect(farhan.get_by_role("log")).to_contain_text("salah kirim")
    message = mega.get_by_role("log").locator("li", has_text="salah kirim").last
    message.hover()
    message.get_by_role("button", name="Tindakan").click()
    mega.get_by_role("menuitem", name="Hapus").click()
    mega.locator("dialog[open]").get_by_role("button", name="Hapus pesan").click()
    expect(farhan.get_by_role("log")).to_contain_text("Pesan dihapus")
    expect(farhan.get_by_role("log")).not_to_contain_text("salah kirim")


def test_messages_above_the_rate_limit_are_sent_later_in_order(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    mega, farhan = open_room(open_as, "member"), open_room(open_as, "friend")
    texts = [f"pesan {n}" for n in range(30)]
    for text in texts:
        say(mega, text)
    for page in (mega, farhan):
        expect(page.locator(".message-text")).to_have_text(texts, timeout=60_000)
    expect(mega.locator('.message:not([data-state="sent"])')).to_have_count(0)
    console_errors[:] = [c for c in console_errors if "429" not in c]
