"""Texts of messages: shown once, not cut off, edited and copied."""

import json
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, OtherMembers, miss_events
from tests.browser.test_chat_page import open_room, say
from tests.browser.test_chat_talk import choose_action, message
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]
RECORD_CHANGES = """() => {
    const changes = (window.changes = []);
    const record = (records) => changes.push(...records.map(({ target }) => target.outerHTML));
    new MutationObserver(record).observe(document.getElementById("messages"),
        { subtree: true, childList: true, characterData: true });
}"""


def test_a_message_whose_response_was_lost_is_shown_once(
    open_as: OpenAs, people: dict[str, int]
) -> None:
    mega = open_room(open_as, "member")
    mega.evaluate(
        "sent => fetch('/ukm/ROBOTIK/messages', {method: 'POST', body: JSON.stringify(sent),"
        " headers: {'Content-Type': 'application/json'}})",
        {"message": "hilang jawabannya", "client_id": "lost"},
    )
    me = people["member"]
    author = {"user_id": me, "name": "Mega Lestari", "ukm": "ROBOTIK", "reply_to": None}
    entry = {**author, "client_id": "lost", "message": "hilang jawabannya", "state": "pending"}
    outbox = json.dumps([{**entry, "created_at": "2026-11-29T10:00:00.000Z"}])
    mega.evaluate(
        "([key, text]) => localStorage.setItem(key, text)", [f"outbox:{me}:ROBOTIK", outbox]
    )
    mega.route(
        "**/messages", lambda route: None
    )  # no answer: only the page's messages show it as sent
    mega.reload()
    mega.wait_for_selector('[data-stream="open"]')
    expect(mega.locator(".message")).to_have_count(1)
    expect(mega.locator(".message")).to_have_attribute("data-state", "sent")
    assert mega.evaluate("Object.keys(localStorage).filter(key => key.startsWith('outbox'))") == []


def test_the_text_field_grows_in_browsers_without_field_sizing(open_as: OpenAs) -> None:
    mega = open_room(open_as, "member")
    field = mega.locator("#draft")
    field.evaluate("field => { CSS.supports = () => false; field.style.fieldSizing = 'fixed'; }")
    height = lambda: field.evaluate("field => field.offsetHeight")  # noqa: E731
    one_line = height()
    field.fill("satu\ndua\ntiga")
    assert height() > 2 * one_line - 20
    assert field.evaluate("field => field.scrollHeight <= field.clientHeight")
    mega.get_by_role("button", name="Kirim", exact=True).click()
    expect(field).to_have_value("")
    assert height() == one_line


def like(page: Page, text: str) -> None:
    message(page, text).hover()
    message(page, text).get_by_role("button", name="Tindakan").click()
    page.get_by_role("menuitemcheckbox", name="Suka").click()


def test_an_unchanged_message_is_not_rendered_again(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("Halo `kode`, lihat www.a.example")
    page = open_room(open_as, "member")
    like(page, "Halo")
    chip = message(page, "Halo").locator(".reaction")
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.focus()
    page.evaluate(RECORD_CHANGES)
    with page.expect_response("**/online"):  # requested after the messages are shown
        miss_events(page)
    assert page.evaluate("changes") == []
    expect(chip).to_be_focused()
    like(open_room(open_as, "friend"), "Halo")
    expect(chip).to_have_text("👍2")
    expect(chip).to_be_focused()
    chip.press("Enter")
    expect(chip).to_have_text("👍1")
    expect(chip).to_be_focused()


def test_a_text_that_is_too_long_stays_in_the_field_with_an_error(open_as: OpenAs) -> None:
    mega = open_room(open_as, "member")
    field, counter = mega.locator("#draft"), mega.locator("#draft-count")
    field.fill("a" * 899)
    expect(counter).to_be_hidden()
    field.fill("a" * 900)
    expect(counter).to_have_text("900 / 1.000")
    field.fill("")
    paste = "text => document.execCommand('insertText', false, text)"
    field.focus()
    mega.evaluate(paste, "a" * 995 + "😀 selesai")
    expect(field).to_have_value("a" * 995 + "😀 selesai")
    expect(counter).to_have_text("4 karakter terlalu panjang")
    field.press("Enter")
    expect(mega.locator(".message")).to_have_count(0)
    expect(field).to_have_value("a" * 995 + "😀 selesai")
    field.press("End")
    for _character in range(4):
        field.press("Backspace")
    field.press("Enter")
    expect(mega.locator(".message-text")).to_have_text("a" * 995 + "😀 sel")
    expect(counter).to_be_hidden()
    expect(mega.locator(".message")).to_have_attribute("data-state", "sent")
    field.press("ArrowUp")
    mega.locator("#edit-text").fill("b" * 1001)
    expect(mega.locator("#edit-text-count")).to_have_text("1 karakter terlalu panjang")
    mega.get_by_role("button", name="Simpan").click()
    expect(mega.locator("#edit")).to_be_visible()
    mega.locator("#edit-text").fill("pendek")
    mega.get_by_role("button", name="Simpan").click()
    expect(mega.locator(".message-text")).to_have_text("pendek")


def test_the_count_of_characters_is_announced_after_a_pause_not_with_each_key(
    open_as: OpenAs,
) -> None:
    mega = open_room(open_as, "member")
    mega.clock.install()
    field, counter = mega.locator("#draft"), mega.locator("#draft-count")
    announced = mega.locator("#composer [role=status]:not(#closed)")
    field.fill("a" * 899)
    mega.clock.run_for(2000)
    for length in range(900, 904):
        field.press_sequentially("a")
        expect(counter).to_have_text(f"{length} / 1.000")
        expect(announced).to_have_text("")
    mega.clock.run_for(2000)
    expect(announced).to_have_text("903 / 1.000")
    expect(field).to_have_accessible_description("903 / 1.000")
    assert mega.locator("#composer").aria_snapshot().count("903 / 1.000") == 1


def test_arrow_up_in_the_empty_field_edits_the_authors_last_message(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("lama", "ini salh ketik", who="member")
    other_members.say("dari Farhan")
    mega = open_room(open_as, "member")
    field = mega.locator("#draft")
    field.fill("draf")
    field.press("ArrowUp")
    expect(mega.locator("#edit")).to_be_hidden()
    field.fill("")
    field.press("ArrowUp")
    expect(mega.locator("#edit-text")).to_have_value("ini salh ketik")
    expect(mega.locator("#edit-text")).to_be_focused()
    mega.locator("#edit-text").fill("ini salah ketik")
    mega.get_by_role("button", name="Simpan").click()
    expect(message(mega, "ini salah ketik")).to_contain_text("diubah")
    expect(field).to_be_focused()


def test_a_notice_on_a_phone_covers_neither_the_input_nor_the_header(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("halo")
    mega = open_room(open_as, "member")
    mega.set_viewport_size(PHONE)
    mega.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose_action(mega, "halo", "Salin teks")
    notice = mega.locator("#toasts > *").bounding_box()
    header = mega.locator(".chat-head").bounding_box()
    composer = mega.locator("#composer").bounding_box()
    assert notice
    assert header
    assert composer
    assert header["y"] + header["height"] <= notice["y"]
    assert notice["y"] + notice["height"] <= composer["y"]


def test_the_text_and_the_link_of_a_message_are_copied_and_the_link_opens_it(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    first = other_members.say("yang dicari")
    other_members.say(*[f"isi {n}" for n in range(15)], who="member")
    mega = open_room(open_as, "member")
    mega.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose_action(mega, "isi 14", "Salin teks")
    expect(mega.locator("#toasts")).to_contain_text("Teks disalin")
    assert mega.evaluate("navigator.clipboard.readText()") == "isi 14"
    choose_action(mega, "yang dicari", "Salin tautan")
    expect(mega.locator("#toasts")).to_contain_text("Tautan disalin")
    link = mega.evaluate("navigator.clipboard.readText()")
    assert link.endswith(f"/ukm/ROBOTIK/chat#pesan-{first}")
    other = open_as("friend", link.partition("/ukm")[1] + link.partition("/ukm")[2])
    expect(message(other, "yang dicari")).to_be_focused()
    expect(message(other, "yang dicari")).to_be_in_viewport()


def test_each_tab_has_its_own_draft_and_another_tab_takes_over_a_closed_tabs_draft(
    open_as: OpenAs,
) -> None:
    first, second = open_room(open_as, "member"), open_room(open_as, "member")
    first.locator("#draft").fill("draf pertama")
    second.locator("#draft").fill("draf kedua")
    for page, text in ((first, "draf pertama"), (second, "draf kedua")):
        page.reload()
        expect(page.locator("#draft")).to_have_value(text)
    third = open_room(open_as, "member")
    expect(third.locator("#draft")).to_have_value("")
    first.close()
    # The browser frees the closed tab's lock a moment after the tab is gone.
    third.wait_for_function(
        """async () => {
            const { held } = await navigator.locks.query();
            return held.filter(({ name }) => name.startsWith("draft-tab:")).length === 2;
        }"""
    )
    third.reload()
    expect(third.locator("#draft")).to_have_value("draf pertama")
    expect(second.locator("#draft")).to_have_value("draf kedua")


def test_offline_messages_are_shown_as_waiting_without_a_resend_button(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    mega = open_room(open_as, "member")
    mega.context.set_offline(True)
    mega.evaluate("dispatchEvent(new Event('offline'))")
    for text in ("satu", "dua"):
        say(mega, text)
    expect(mega.locator("#live-line")).to_contain_text("terkirim begitu jaringan kembali")
    for text in ("satu", "dua"):
        expect(message(mega, text)).to_have_attribute("data-state", "waiting")
        expect(message(mega, text)).to_contain_text("menunggu jaringan")
    expect(mega.get_by_role("button", name="Kirim ulang")).to_have_count(0)
    expect(message(mega, "dua")).to_be_in_viewport()
    mega.context.set_offline(False)
    expect(mega.locator('[data-state="sent"]')).to_have_count(2)
    expect(mega.locator("#live-line")).to_be_hidden()
    console_errors[:] = [c for c in console_errors if "ERR_INTERNET_DISCONNECTED" not in c]


def test_messages_above_the_rate_limit_show_no_error(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    mega = open_room(open_as, "member")
    mega.evaluate("""() => {
        const states = (window.states = new Set());
        const record = () => document.querySelectorAll(".message")
            .forEach(({ dataset }) => states.add(dataset.state));
        new MutationObserver(record).observe(document.getElementById("messages"),
            { subtree: true, childList: true, attributes: true });
    }""")
    for n in range(25):
        say(mega, f"cepat {n}")
    sent = mega.locator('[data-state="sent"] .message-text')
    expect(sent).to_have_text([f"cepat {n}" for n in range(25)])
    assert mega.evaluate("[...states].sort()") == ["pending", "sent"]
    console_errors[:] = [c for c in console_errors if "429" not in c]


def test_joining_opens_the_room_and_the_newest_message_moves_its_ukm_to_the_top(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("lama")
    mega = open_as("member", "/ukm", PHONE)
    mega.get_by_label("Kode gabung").fill("pramuka")
    mega.get_by_role("button", name="Gabung").click()
    mega.wait_for_url("**/ukm/PRAMUKA/chat")
    mega.wait_for_selector('[data-stream="open"]')
    say(mega, "baru bergabung")
    expect(mega.locator(".message")).to_have_attribute("data-state", "sent")
    mega.goto(mega.url.replace("/PRAMUKA/chat", ""))
    names = mega.locator(".ukm h2")
    expect(names).to_have_text(["Pramuka", "UKM Robotika"])
    mega.wait_for_selector('[data-stream="open"]')
    other_members.say("terbaru")
    expect(names).to_have_text(["UKM Robotika", "Pramuka"])


def test_a_reaction_is_large_enough_for_a_finger(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("Halo")
    mega = open_room(open_as, "member")
    message(mega, "Halo").focus()
    mega.keyboard.press("Enter")
    mega.get_by_role("menuitemcheckbox", name="Suka").click()
    # `bounding_box()` is None while the message is rendered again.
    box = wait_until(mega.locator(".reaction").bounding_box, what="a rendered reaction")
    assert box
    assert min(box["width"], box["height"]) >= 44
