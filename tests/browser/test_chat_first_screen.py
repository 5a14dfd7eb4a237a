"""The first screen of a room comes from the server, and looks like what the script renders."""

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from myukm.domain.chat import messages, reactions
from tests.browser.conftest import PHONE, OtherMembers
from tests.browser.test_chat_page import open_room
from tests.support.people import UKM

OpenAs = Callable[..., Page]
# What a reader sees of each message, without the marks that only the script sets.
LOOKS = """
  (root) => [...root.querySelectorAll(".message")].map((each) => [
    [...each.classList].sort().join(" "), each.dataset.state,
    ...[...each.querySelectorAll("[data-slot], .avatar, .message-new, .reactions, .message-more")]
      .map((part) => [part.className, part.hidden, part.textContent]),
    ...[...each.querySelectorAll(".reaction")]
      .map((chip) => ["emoji", "aria-pressed", "aria-label"]
        .map((name) => chip.dataset[name] ?? chip.getAttribute(name))),
  ])
"""
SERVER_LOOKS = f"""
  async () => {{
    const html = await (await fetch(location.href)).text();
    return ({LOOKS})(new DOMParser().parseFromString(html, "text/html").getElementById("messages"));
  }}
"""


def test_a_message_rendered_by_the_server_looks_like_one_rendered_by_the_script(
    other_members: OtherMembers, open_as: OpenAs, people: dict[str, int]
) -> None:
    mega = open_room(open_as, "member")
    first = other_members.say("Halo <b>& 'semua'</b>", "baris\nkedua")
    other_members.say("saya", "dan lagi", who="member")
    other_members.say("@Mega jawab", reply_to=first)
    deleted = other_members.say("dihapus")
    with other_members.app.app_context():
        messages.edit(people["friend"], UKM, first, "sudah diubah")
        messages.delete(people["friend"], UKM, deleted)
        reactions.add(people["friend"], UKM, first, "👍")
    expect(mega.locator(".message.deleted")).to_have_count(1)
    expect(mega.locator(".reaction")).to_have_text("👍1")
    live = mega.evaluate(f"({LOOKS})(document.getElementById('messages'))")
    server = mega.evaluate(SERVER_LOOKS)
    for each in (live, server):  # which message is new depends on when the page was opened
        for shown in each:
            shown[:] = [part for part in shown if part[0] != "message-new"]
    assert live == server


def test_the_newest_message_is_in_view_before_the_script_has_loaded(
    other_members: OtherMembers, open_as: OpenAs, console_errors: list[str]
) -> None:
    other_members.say(*[f"isi {n}" for n in range(18)], who="member")
    mega = open_as("member", "/ukm", PHONE)
    mega.route("**/joined/core/app.js", lambda route: route.abort())
    mega.goto(f"{mega.url}/{UKM}/chat", wait_until="commit")
    expect(mega.locator(".message-text").last).to_have_text("isi 17")
    expect(mega.locator(".message-text").last).to_be_in_viewport()
    console_errors[:] = [each for each in console_errors if "app.js" not in each]


def test_a_message_sent_before_the_script_has_loaded_is_sent_once(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("halo")
    mega = open_as("member", "/ukm", PHONE)
    held: list[Route] = []
    mega.route("**/joined/core/app.js", lambda route: held.append(route))  # noqa: PLW0108 (Playwright inspects its signature)
    mega.goto(f"{mega.url}/{UKM}/chat", wait_until="commit")
    field = mega.get_by_role("textbox", name="Tulis pesan")
    field.fill("sudah ditulis")
    mega.get_by_role("button", name="Kirim", exact=True).click()
    field.press_sequentially("!")
    assert held
    held[0].continue_()
    sent = mega.locator(".message.mine[data-state=sent]")
    expect(sent).to_have_count(1)
    expect(sent.locator(".message-text")).to_have_text("sudah ditulis!")
    expect(field).to_have_value("")


def test_text_written_before_the_script_has_loaded_stays(open_as: OpenAs) -> None:
    mega = open_as("member", "/ukm", PHONE)
    held: list[Route] = []
    mega.route("**/joined/core/app.js", lambda route: held.append(route))  # noqa: PLW0108 (Playwright inspects its signature)
    mega.goto(f"{mega.url}/{UKM}/chat", wait_until="commit")
    field = mega.get_by_role("textbox", name="Tulis pesan")
    field.fill("belum selesai")
    assert held
    held[0].continue_()
    mega.wait_for_selector("#chat[data-mounted]")
    expect(field).to_have_value("belum selesai")
