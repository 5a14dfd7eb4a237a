"""Replies, mentions, reactions, links, unread messages, notifications, mutes and pins."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, Route, expect
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.chat import messages
from myukm.extensions import db
from myukm.models import Ukm, User
from tests.browser.conftest import PHONE, OtherMembers
from tests.browser.test_chat_page import open_room, say
from tests.browser.test_live_pages import open_pages
from tests.support.people import UKM
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]


def message(page: Page, text: str) -> Locator:
    return page.locator(".message", has=page.locator(".message-text", has_text=text)).last


def choose_action(page: Page, text: str, action: str) -> None:
    message(page, text).hover()
    message(page, text).get_by_role("button", name="Tindakan").click()
    page.get_by_role("menuitem", name=action).click()


def test_a_quote_links_to_its_message_and_shows_the_deletion(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("Latihan jam berapa?\nrincian")
    for n in range(4):
        other_members.say(*[f"isi {n} {m}" for m in range(4)], who="member")
    mega = open_room(open_as, "member")
    choose_action(mega, "Latihan jam", "Balas")
    expect(mega.locator("#replying")).to_contain_text("Farhan Hakim")
    mega.reload()  # the draft is stored with its quote
    expect(mega.locator("#replying")).to_contain_text("Latihan jam berapa?")
    say(mega, "Jam empat")
    quote = message(mega, "Jam empat").locator(".quote")
    expect(quote).to_have_text("Farhan HakimLatihan jam berapa?")
    expect(mega.locator("#replying")).to_be_hidden()
    quote.click()
    expect(message(mega, "Latihan jam")).to_be_focused()
    expect(message(mega, "Latihan jam")).to_be_in_viewport()
    other = open_room(open_as, "friend")
    choose_action(other, "Latihan jam", "Hapus")
    other.locator("dialog[open]").get_by_role("button", name="Hapus pesan").click()
    for page in (mega, other):
        expect(message(page, "Jam empat").locator(".quote")).to_contain_text("Pesan dihapus")
        expect(page.get_by_role("log")).not_to_contain_text("Latihan jam")


def test_a_quote_opens_a_message_that_was_not_loaded(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    first = other_members.say("yang pertama")
    for n in range(8):
        other_members.say(*[f"isi {n} {m}" for m in range(15)], who=("member", "friend")[n % 2])
        other_members.reset_rate_limit()
    other_members.say("jawaban", reply_to=first)
    mega = open_room(open_as, "member")
    message(mega, "jawaban").locator(".quote").click()
    expect(message(mega, "yang pertama")).to_be_focused()
    expect(message(mega, "yang pertama")).to_be_in_viewport()


def test_a_name_is_completed_by_keyboard_and_highlighted_for_the_person(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    mega, other = open_room(open_as, "member"), open_room(open_as, "friend")
    field = mega.get_by_role("textbox", name="Tulis pesan")
    field.press_sequentially("ayo @far")
    expect(mega.get_by_role("option")).to_have_text(["Farhan Hakim"])
    field.press("Enter")
    expect(field).to_have_value("ayo @Farhan Hakim ")
    field.press_sequentially("ya")
    field.press("Enter")
    expect(message(other, "ayo").locator(".mention")).to_have_text("@Farhan Hakim")
    expect(message(other, "ayo")).to_have_class(re.compile("is-mention"))
    expect(message(mega, "ayo")).not_to_have_class(re.compile("is-mention"))
    field.fill("beda @Farhan dan @Farhanuddin")
    field.press("Enter")
    expect(message(other, "beda").locator(".mention")).to_have_text(["@Farhan"])


def tap(page: Page, place: Locator) -> None:
    """Tap; the page must have been loaded after touch emulation was switched on."""
    box = place.bounding_box()
    assert box
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    cdp = page.context.new_cdp_session(page)
    cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_tap_completes_a_name_and_reaches_no_message_behind_the_list(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say(*[f"isi {n}" for n in range(16)])
    mega = open_room(open_as, "member")
    touch = {"enabled": True, "maxTouchPoints": 1}
    mega.context.new_cdp_session(mega).send("Emulation.setTouchEmulationEnabled", touch)
    mega.reload()
    mega.wait_for_selector('[data-stream="open"]')
    field = mega.get_by_role("textbox", name="Tulis pesan")
    field.press_sequentially("@")
    expect(mega.get_by_role("option")).to_have_count(2)
    tap(mega, mega.get_by_role("option", name="Farhan"))
    expect(field).to_have_value("@Farhan Hakim ")
    mega.keyboard.type("apa kabar")
    expect(field).to_have_value("@Farhan Hakim apa kabar")
    expect(mega.locator("#message-menu")).to_be_hidden()
    expect(mega.locator(".reaction")).to_have_count(0)


def test_reactions_are_counted_and_removed_on_every_page(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("Halo")
    mega, other = open_room(open_as, "member"), open_room(open_as, "friend")
    for page in (mega, other):
        message(page, "Halo").hover()
        message(page, "Halo").get_by_role("button", name="Tindakan").click()
        page.get_by_role("menuitemcheckbox", name="Suka").click()
    for page in (mega, other):
        chip = message(page, "Halo").locator(".reaction")
        expect(chip).to_have_text("👍2")
        expect(chip).to_have_attribute("aria-pressed", "true")
    message(mega, "Halo").locator(".reaction").click()
    for page, mine in ((mega, "false"), (other, "true")):
        chip = message(page, "Halo").locator(".reaction")
        expect(chip).to_have_text("👍1")
        expect(chip).to_have_attribute("aria-pressed", mine)
    other.reload()
    expect(message(other, "Halo").locator(".reaction")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("lihat https://a.example/x?y=1&z=2, ya", ["https://a.example/x?y=1&z=2"]),
        ("(https://a.example/a_(b)) HTTP://B.example.", ["https://a.example/a_(b)", "http://b.example/"]),
        ("javascript:alert(1) data:text/html,x file:///etc/passwd //a.example", []),
        ("https:// http://[ https://a b", ["https://a/"]),
        ("https://a.example/\u202egnp.exe", ["https://a.example/"]),
        ('"https://a.example/" onclick="x"', ["https://a.example/"]),
        ("<a href=https://a.example>klik</a>", ["https://a.example/"]),
    ],
)  # fmt: skip
def test_only_web_addresses_become_links(
    other_members: OtherMembers, open_as: OpenAs, text: str, links: list[str]
) -> None:
    other_members.say(text)
    mega = open_room(open_as, "member")
    shown = mega.locator(".message-text")
    expect(shown).to_have_text(text)
    assert shown.locator("a").evaluate_all("all => all.map(({href}) => href)") == links
    for link in shown.locator("a").all():
        expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
        expect(link).to_have_attribute("target", "_blank")
    expect(shown).to_have_attribute("dir", "auto")


def test_right_to_left_text_does_not_reorder_the_text_around_it(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("\u202e\u2066سلام dunia\u200b", "biasa")
    mega = open_room(open_as, "member")
    for text in mega.locator(".message-text").all():
        expect(text).to_have_css("unicode-bidi", "plaintext")

    def typing() -> str:
        other_members.type("\u05d0\u05d1\u05d2")
        return mega.locator("#typing").text_content() or ""

    line = wait_until(typing, 30, "a typing event, of which any may get lost")
    assert line == "\u2068\u05d0\u05d1\u05d2\u2069 sedang mengetik…"


def test_the_room_opens_at_the_first_unread_message(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say(*[f"lama {n}" for n in range(10)], who="member")
    other_members.say(*[f"baru {n}" for n in range(19)])
    mega = open_room(open_as, "member")
    expect(mega.locator(".message-new:visible")).to_have_count(1)
    expect(message(mega, "baru 0").locator(".message-new")).to_be_in_viewport()
    expect(mega.locator("#jump")).to_have_text("19 pesan baru")
    expect(message(mega, "baru 18")).not_to_be_in_viewport()
    mega.locator("#jump").click()
    expect(message(mega, "baru 18")).to_be_in_viewport()
    expect(mega.locator("#jump")).to_be_hidden()
    expect(mega).to_have_title(re.compile("^UKM Robotika"))  # without an unread count


RECORD = """
  window.tones = []; window.notes = [];
  const sound = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () { tones.push(1); return sound.call(this) };
  window.Notification = class extends EventTarget {
    static permission = "granted"; static asked = 0;
    static async requestPermission() { this.asked += 1; return "granted" }
    constructor(title, { body }) { super(); notes.push(`${title}: ${body}`) }
  };
  const note = async (title, { body }) => { notes.push(`${title}: ${body}`) };
  if (isSecureContext) ServiceWorkerRegistration.prototype.showNotification = note;
  Object.defineProperty(Document.prototype, "hidden", { get: () => window.pageHidden === true });
"""
HIDE_PAGE = "pageHidden = true; document.dispatchEvent(new Event('visibilitychange'))"


def test_only_the_chosen_messages_notify(other_members: OtherMembers, open_as: OpenAs) -> None:
    other = open_as("member", "/profile")
    other.context.add_init_script(RECORD)
    other.reload()
    mega = open_room(open_as, "member")
    assert mega.evaluate("Notification.asked") == 0
    mega.get_by_role("button", name="Pemberitahuan").click()
    mega.get_by_label("Pemberitahuan saat tab").check()
    mega.get_by_label("Bunyi").check()
    assert mega.evaluate("[Notification.asked, tones.length]") == [1, 2]
    mega.get_by_label("Sebutan dan balasan").check()
    expect(mega.get_by_label("Sebutan dan balasan")).to_be_checked()
    mega.keyboard.press("Escape")

    def recorded() -> tuple[list[str], int]:
        notes = other.evaluate("notes") + mega.evaluate("notes")
        return notes, other.evaluate("tones.length") + mega.evaluate("tones.length")

    other_members.say("@Mega Lestari sedang dilihat")
    expect(message(mega, "sedang dilihat")).to_be_visible()
    wait_until(lambda: other_members.unread() == 0, 30, "the message is read")
    expect(mega).to_have_title(re.compile("^UKM Robotika"))
    assert recorded() == ([], 2)
    for page in (other, mega):
        page.evaluate(HIDE_PAGE)
    other_members.say("untuk semua", "@Mega Lestari ayo")
    expected = (["\u2068Farhan Hakim\u2069 di ROBOTIK: @Mega Lestari ayo"], 4)
    wait_until(lambda: recorded() == expected, 30, "one notification and one tone")
    expect(mega).to_have_title(re.compile(r"^\(2\) "))
    expect(mega.locator("link[rel=icon]")).to_have_attribute("href", re.compile("^data:"))


def test_a_message_deleted_before_its_publication_does_not_notify(
    other_members: OtherMembers, open_as: OpenAs, people: dict[str, int]
) -> None:
    mega = open_room(open_as, "member")
    mega.context.add_init_script(RECORD)
    mega.reload()
    mega.wait_for_selector('[data-stream="open"]')
    mega.get_by_role("button", name="Pemberitahuan").click()
    mega.get_by_label("Pemberitahuan saat tab").check()
    mega.keyboard.press("Escape")
    mega.evaluate(HIDE_PAGE)
    with other_members.app.app_context():
        friend = db.session.get_one(User, people["friend"])
        deleted, _ = messages.post(friend, UKM, "salah kirim", "deleted")
        messages.delete(people["friend"], UKM, deleted.id)
    other_members.say("yang benar")
    expect(mega.locator(".message.deleted")).to_have_count(1)
    expected = ["\u2068Farhan Hakim\u2069 di ROBOTIK: yang benar"]
    wait_until(lambda: mega.evaluate("notes"), 30, "a notification")
    assert mega.evaluate("notes") == expected


def test_a_notification_setting_that_was_not_stored_is_reset(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    mega = open_room(open_as, "member")
    mega.get_by_role("button", name="Pemberitahuan").click()
    all_messages = mega.get_by_label("Semua pesan")
    expect(all_messages).to_be_checked()
    mega.route(re.compile("/(notices|push)$"), lambda route: route.abort())
    mega.get_by_label("Sebutan dan balasan").click()
    expect(all_messages).to_be_checked()
    always = mega.get_by_label("Setiap pesan, juga")
    always.click()
    expect(mega.locator(".toast")).to_have_count(2)
    expect(always).not_to_be_checked()
    mega.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full') } }")
    mega.get_by_label("Bunyi").click()
    expect(mega.locator(".toast", has_text="tidak bisa menyimpan")).to_be_visible()
    expect(mega.get_by_label("Bunyi")).not_to_be_checked()
    mega.evaluate("window.isSamePage = true")
    always.press("Enter")
    mega.wait_for_load_state()
    assert mega.evaluate("window.isSamePage"), "Enter in the form does not load the page again"
    console_errors[:] = [line for line in console_errors if "ERR_FAILED" not in line]


@pytest.mark.service_worker
def test_the_service_worker_shows_the_notification_as_phones_require(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    mega = open_room(open_as, "member")
    mega.context.grant_permissions(["notifications"])
    mega.get_by_role("button", name="Pemberitahuan").click()
    mega.get_by_label("Pemberitahuan saat tab").check()
    mega.get_by_label("Sebutan dan balasan").check()
    expect(mega.get_by_label("Sebutan dan balasan")).to_be_checked()
    chosen = "() => Object.keys(localStorage).some((key) => key.endsWith(':notify'))"
    mega.wait_for_function(chosen)
    mega.evaluate("Object.defineProperty(Document.prototype, 'hidden', { get: () => true })")
    mega.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    said = other_members.say("@Mega Lestari ayo latihan")
    shown = """async () => {
      const registration = await navigator.serviceWorker.ready;
      const notes = await registration.getNotifications();
      return notes.map(({ body, tag, data }) => [body, tag, data]);
    }"""
    expected = [
        ["@Mega Lestari ayo latihan", "ukm-ROBOTIK", {"path": "/ukm/ROBOTIK/chat", "id": said}]
    ]
    wait_until(lambda: mega.evaluate(shown) == expected, 30, "a persistent notification")


def test_a_mute_disables_the_text_field_until_its_end(
    other_members: OtherMembers, open_as: OpenAs, console_errors: list[str]
) -> None:
    other_members.update_membership(muted_until=utcnow() + timedelta(minutes=10))
    [mega] = open_pages(open_as, "member", f"/ukm/{UKM}/chat")
    field = mega.get_by_role("textbox", name="Tulis pesan")
    expect(field).to_be_disabled()
    expect(mega.get_by_role("status").filter(has_text="dibisukan")).to_be_visible()
    other_members.update_membership(muted_until=None)  # the mute ends, without an event
    aborted: list[Route] = []

    def abort_one(route: Route) -> None:
        aborted.append(route)
        route.abort() if len(aborted) == 1 else route.continue_()

    mega.route("**/state", abort_one)
    mega.clock.fast_forward("10:02")
    wait_until(lambda: aborted or mega.wait_for_timeout(50), 30, "a request for the state")
    mega.clock.run_for(6000)
    expect(field).to_be_enabled()
    console_errors[:] = [line for line in console_errors if "ERR_FAILED" not in line]


def test_an_edit_that_was_not_sent_is_kept_for_the_next_try(
    other_members: OtherMembers, open_as: OpenAs, console_errors: list[str]
) -> None:
    other_members.say("salah ketik", who="member")
    mega = open_room(open_as, "member")
    mega.route("**/messages/*", lambda route: route.abort())
    choose_action(mega, "salah ketik", "Ubah")
    mega.locator("#edit-text").fill("yang panjang dan benar")
    mega.locator("dialog[open]").get_by_role("button", name="Simpan").click()
    expect(mega.locator(".toast")).to_contain_text("tidak terjangkau")
    mega.unroute("**/messages/*")
    choose_action(mega, "salah ketik", "Ubah")
    expect(mega.locator("#edit-text")).to_have_value("yang panjang dan benar")
    mega.locator("dialog[open]").get_by_role("button", name="Simpan").click()
    expect(message(mega, "yang panjang dan benar")).to_be_visible()
    console_errors[:] = [line for line in console_errors if "ERR_FAILED" not in line]


def test_a_message_is_reported_from_the_menu(other_members: OtherMembers, open_as: OpenAs) -> None:
    other_members.say("kasar")
    mega = open_room(open_as, "member")
    choose_action(mega, "kasar", "Laporkan")
    mega.get_by_label("Mengapa?").fill("Tidak sopan")
    mega.locator("dialog[open]").get_by_role("button", name="Laporkan").click()
    expect(mega.locator(".toast")).to_contain_text("Terima kasih")


def test_a_pinned_message_is_shown_on_top_until_it_is_unpinned(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.update_membership("friend", is_admin=True)
    other_members.say("Latihan pindah ke aula")
    mega, other = open_room(open_as, "member"), open_room(open_as, "friend")
    choose_action(other, "Latihan", "Sematkan")
    for page in (mega, other):
        expect(page.locator("#pin")).to_contain_text("Latihan pindah ke aula")
    expect(mega.locator("[data-unpin]")).to_be_hidden()
    other.locator("[data-unpin]").click()
    expect(mega.locator("#pin")).to_be_hidden()


def test_in_an_archived_ukm_no_message_can_be_pinned(
    app: Flask, other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.update_membership(is_admin=True)
    other_members.say("Sampai jumpa")
    with app.app_context(), transaction() as session:
        session.execute(update(Ukm).values(archived_at=utcnow()))
    mega = open_room(open_as, "member")
    message(mega, "Sampai jumpa").hover()
    message(mega, "Sampai jumpa").get_by_role("button", name="Tindakan").click()
    expect(mega.get_by_role("menuitem", name="Salin teks")).to_be_visible()
    expect(mega.get_by_role("menuitem", name="Sematkan")).to_be_hidden()


def open_read_room(other_members: OtherMembers, open_as: OpenAs, text: str) -> Page:
    """Post `text`, open the room as Mega and wait until the message is read, because a read report
    sent after her removal would be refused."""
    other_members.say(text)
    mega = open_room(open_as, "member")
    wait_until(lambda: other_members.unread() == 0, 30, "the message is read")
    return mega


def test_a_removed_member_sees_a_notice_and_cannot_write(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    mega = open_read_room(other_members, open_as, "halo")
    other_members.remove("member")
    expect(mega.locator("#closed")).to_contain_text("bukan lagi anggota")
    expect(mega.get_by_role("textbox", name="Tulis pesan")).to_be_disabled()


def test_a_phone_whose_clock_is_a_day_off_shows_the_same_times(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("satu", who="member")
    context = open_as("member", "/profile").context
    context.clock.set_system_time(utcnow() + timedelta(days=1))
    mega = open_as("member", f"/ukm/{UKM}/chat", PHONE)
    message(mega, "satu").hover()
    message(mega, "satu").get_by_role("button", name="Tindakan").click()
    # Edits are allowed for 15 minutes.
    expect(mega.get_by_role("menuitem", name="Ubah")).to_be_visible()
    mega.keyboard.press("Escape")
    say(mega, "dua")
    expect(mega.locator(".message-day:visible")).to_have_count(1)
    list_page = open_as("member", "/ukm")
    expect(list_page.locator("[data-code=ROBOTIK] time")).to_have_text(re.compile("detik|sekarang"))


def test_the_list_of_members_keeps_the_time_since_they_were_seen_current(
    open_as: OpenAs, app: Flask, people: dict[str, int]
) -> None:
    with app.app_context(), transaction() as session:
        seen = update(User).where(User.id == people["friend"])
        session.execute(seen.values(last_seen_at=utcnow() - timedelta(minutes=3)))
    [page] = open_pages(open_as, "member", f"/ukm/{UKM}/chat")  # with a clock that the test moves
    row = page.locator("#member-list .member", has_text="Farhan Hakim")
    expect(row).to_contain_text("terlihat 3 menit yang lalu")
    page.clock.fast_forward(120_000)
    expect(row).to_contain_text("terlihat 5 menit yang lalu")
