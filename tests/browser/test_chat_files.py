"""Photos and files in the chat: chosen, sent with or without a network, seen, cancelled."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from myukm.domain.chat import broadcast
from myukm.extensions import db
from myukm.models import Ukm
from tests.browser.conftest import PHONE, check_current_look
from tests.support.files import MESSAGES, PDF, send, upload
from tests.support.pictures import encoded, half_red
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]
ROOM = "/ukm/ROBOTIK/chat"
LIVE = '[data-stream="open"]'
SEND = "[aria-label=Kirim]"
# Returns what a browser passes when a photo is pasted or dropped, from the photo's base64.
TRANSFER = """(data) => {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "image.jpg", { type: "image/jpeg" }));
    return transfer;
}"""
# Calls a method of the browser's store of files, such as `count`.
FILE_STORE = """(method) => new Promise((resolve, reject) => {
    const opened = indexedDB.open("myukm-files", 1);
    opened.onupgradeneeded = () => opened.result.createObjectStore("waiting");
    opened.onsuccess = () => {
        const transaction = opened.result.transaction("waiting", "readwrite");
        const request = transaction.objectStore("waiting")[method]();
        transaction.oncomplete = () => (opened.result.close(), resolve(request.result));
        transaction.onerror = () => reject(transaction.error);
    };
})"""
# Chosen photos are not measured before `release()` is called.
HOLD_MEASURING = """() => {
    const measure = createImageBitmap;
    const held = new Promise((release) => { window.release = release; });
    window.createImageBitmap = async (file) => (await held, measure(file));
}"""
ABORTED = "ERR_FAILED"  # what the console says about an aborted request


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "lomba.jpg"
    path.write_bytes(half_red())
    return path


def open_room(open_as: OpenAs, who: str) -> Page:
    page = open_as(who, ROOM, PHONE)
    page.wait_for_selector(LIVE)
    return page


def choose(page: Page, *paths: Path) -> None:
    page.set_input_files("#pick-files", [str(path) for path in paths])
    expect(page.locator(".attached-file")).to_have_count(len(paths))


def stored_files(page: Page) -> int:
    """Return how many files the browser keeps."""
    return int(page.evaluate(FILE_STORE, "count"))


def loaded_pictures(page: Page) -> int:
    """Return how many pictures of messages are loaded from the server."""
    return int(
        page.evaluate("""[...document.querySelectorAll("a.file-picture[href] img")]
            .filter((image) => image.complete && image.naturalWidth).length""")
    )


def test_a_photo_and_a_document_reach_the_others(
    open_as: OpenAs, photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "notulen.pdf").write_bytes(PDF)
    mega, farhan = open_room(open_as, "member"), open_room(open_as, "friend")
    his_list = open_as("friend", "/ukm", PHONE)
    his_list.wait_for_selector(LIVE)
    choose(mega, photo, tmp_path / "notulen.pdf")
    check_current_look(mega)
    mega.click(SEND)
    expect(his_list.locator("[data-code=ROBOTIK]")).to_contain_text(
        "Mega Lestari: Foto atau berkas"
    )
    his_list.close()
    for page in (mega, farhan):
        expect(page.locator("a.file-picture[href]")).to_have_count(1)
        expect(page.locator("a.file-document[href]")).to_contain_text("notulen.pdf")
        page.wait_for_function("() => document.querySelector('a.file-picture img').naturalWidth")
    farhan.click("a.file-picture")
    expect(farhan.locator("#lightbox img")).to_be_visible()
    check_current_look(farhan)
    farhan.keyboard.press("Escape")
    expect(farhan.locator("#lightbox")).to_be_hidden()
    farhan.reload()
    expect(farhan.locator("a.file-picture[href]")).to_have_count(1)
    with farhan.expect_download() as download:
        farhan.click("a.file-document")
    assert download.value.suggested_filename == "notulen.pdf"


def test_a_photo_sent_offline_is_sent_once_later_even_after_a_reload(
    open_as: OpenAs, photo: Path, console_errors: list[str]
) -> None:
    mega, farhan = open_room(open_as, "member"), open_room(open_as, "friend")
    mega.route("**/files", lambda route: route.abort())
    choose(mega, photo)
    mega.fill("#draft", "dari lorong")
    mega.click(SEND)
    expect(mega.get_by_role("log")).to_contain_text("menunggu jaringan")
    mega.reload()
    expect(mega.locator(".file-picture img[src^=blob]")).to_be_visible()
    mega.unroute("**/files")
    expect(farhan.locator("a.file-picture[href]")).to_have_count(1, timeout=40_000)
    expect(mega.locator(".message[data-state=sent] a.file-picture[href]")).to_have_count(1)
    mega.reload()
    mega.wait_for_selector(LIVE)
    expect(mega.locator(".message")).to_have_count(1)
    assert (
        mega.evaluate(
            "localStorage.getItem(Object.keys(localStorage).find((k) => k.startsWith('outbox'))) "
        )
        is None
    )
    console_errors[:] = [c for c in console_errors if ABORTED not in c]


def test_an_upload_can_be_cancelled_and_a_text_does_not_wait_for_it(
    open_as: OpenAs, photo: Path, console_errors: list[str]
) -> None:
    mega, farhan = open_room(open_as, "member"), open_room(open_as, "friend")
    mega.route("**/files", lambda _route: None)
    choose(mega, photo)
    mega.click(SEND)
    expect(mega.locator(".message-sending progress")).to_be_visible()
    mega.fill("#draft", "sementara itu")
    mega.keyboard.press("Enter")
    expect(farhan.get_by_role("log")).to_contain_text("sementara itu")
    mega.get_by_role("button", name="Batal kirim").click()
    expect(mega.locator(".file-picture")).to_have_count(0)
    mega.reload()
    mega.wait_for_selector(LIVE)
    expect(mega.locator(".message")).to_have_count(1)
    console_errors[:] = [c for c in console_errors if ABORTED not in c]


def test_a_refused_photo_shows_the_reason_and_can_be_discarded(
    open_as: OpenAs, tmp_path: Path, console_errors: list[str]
) -> None:
    (tmp_path / "palsu.png").write_bytes(b"<html>")
    mega = open_room(open_as, "member")
    choose(mega, tmp_path / "palsu.png")
    mega.click(SEND)
    expect(mega.get_by_role("log")).to_contain_text("Foto harus berupa JPEG, PNG, WebP, atau GIF.")
    mega.get_by_role("button", name="Buang").click()
    expect(mega.locator(".message")).to_have_count(0)
    console_errors[:] = [c for c in console_errors if "422" not in c]


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_photos_are_pasted_and_dropped(open_as: OpenAs, photo: Path, way: str) -> None:
    mega = open_room(open_as, "member")
    mega.evaluate(
        f"""([way, data]) => {{
            const transfer = ({TRANSFER})(data);
            const field = document.getElementById("draft");
            const bubbles = {{ bubbles: true, cancelable: true }};
            const event = way === "paste"
                ? new ClipboardEvent("paste", {{ clipboardData: transfer, ...bubbles }})
                : new DragEvent("drop", {{ dataTransfer: transfer, ...bubbles }});
            field.dispatchEvent(event);
        }}""",
        [way, base64.b64encode(photo.read_bytes()).decode()],
    )
    expect(mega.locator(".attached-file img")).to_have_count(1)
    mega.get_by_role("button", name="Jangan kirim image.jpg").click()
    expect(mega.locator(".attached-file")).to_have_count(0)


def test_chosen_files_are_kept_like_the_text_until_they_are_sent_or_removed(
    open_as: OpenAs, photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "notulen.pdf").write_bytes(PDF)
    mega = open_room(open_as, "member")
    choose(mega, photo, tmp_path / "notulen.pdf")
    mega.fill("#draft", "dari lomba")
    wait_until(lambda: stored_files(mega) == 2, 30, "the files are stored")
    mega.goto(f"{mega.url}?around=1")
    expect(mega.locator(".attached-file b")).to_have_text(["lomba.jpg", "notulen.pdf"])
    mega.get_by_role("button", name="Jangan kirim notulen.pdf").click()
    mega.reload()
    expect(mega.locator(".attached-file img")).to_have_count(1)
    mega.click(SEND)
    sent = mega.locator(".message[data-state=sent]", has_text="dari lomba")
    expect(sent.locator("a.file-picture[href]")).to_have_count(1)
    wait_until(lambda: stored_files(mega) == 0, 30, "no file is left")
    mega.reload()
    mega.wait_for_selector(LIVE)
    expect(mega.locator(".attached-file, .toast")).to_have_count(0)


def test_a_chosen_file_that_the_browser_has_lost_is_reported(open_as: OpenAs, photo: Path) -> None:
    mega = open_room(open_as, "member")
    choose(mega, photo)
    wait_until(lambda: stored_files(mega) == 1, 30, "the file is stored")
    mega.evaluate(FILE_STORE, "clear")
    mega.reload()
    expect(mega.locator(".toast")).to_have_text("Berkas ini tidak ada lagi di peramban ini.")
    expect(mega.locator(".attached-file")).to_have_count(0)
    drafts = "Object.keys(localStorage).filter((key) => key.startsWith('draft:'))"
    wait_until(lambda: mega.evaluate(drafts) == [], 30, "the draft is forgotten")


def test_text_that_an_office_program_copied_is_pasted_as_text(open_as: OpenAs, photo: Path) -> None:
    mega = open_room(open_as, "member")
    left_to_browser = mega.evaluate(
        f"""(data) => {{
            const clipboardData = ({TRANSFER})(data);
            clipboardData.setData("text/plain", "Senin");
            clipboardData.setData("text/html", "<table><td>Senin</table>");
            const event = new ClipboardEvent("paste", {{ clipboardData, cancelable: true }});
            return document.getElementById("draft").dispatchEvent(event);
        }}""",
        base64.b64encode(photo.read_bytes()).decode(),
    )
    assert left_to_browser
    expect(mega.locator(".attached-file")).to_have_count(0)


def test_only_the_reply_has_the_quote_though_its_photo_takes_time(
    open_as: OpenAs, client_as: Callable[[str], FlaskClient], photo: Path
) -> None:
    for text in ("pertama", "kedua"):
        sent = {"message": text, "client_id": text}
        assert client_as("friend").post(MESSAGES, json=sent).status_code == 201
    mega = open_room(open_as, "member")
    mega.evaluate(HOLD_MEASURING)

    def reply_to(text: str) -> None:
        mega.locator(".message", has_text=text).first.hover()
        mega.locator(".message", has_text=text).first.get_by_role("button").last.click()
        mega.get_by_role("menuitem", name="Balas").click()
        expect(mega.locator("#replying")).to_contain_text(text)

    reply_to("pertama")
    choose(mega, photo)
    mega.fill("#draft", "dengan foto")
    mega.click(SEND)
    expect(mega.locator("#replying")).to_be_hidden()
    mega.fill("#draft", "tanpa kutipan")
    mega.click(SEND)
    reply_to("kedua")
    mega.evaluate("release()")
    said = mega.locator(".message.mine[data-state=sent]")
    expect(said).to_have_count(2)  # the text does not wait for the upload of the photo
    expect(said.filter(has_text="dengan foto").locator(".quote")).to_contain_text("pertama")
    expect(said.filter(has_text="tanpa kutipan").locator(".quote")).to_have_count(0)
    expect(mega.locator("#replying")).to_contain_text("kedua")


def test_a_pasted_photo_is_sent_with_the_message_entered_right_after(
    open_as: OpenAs, photo: Path
) -> None:
    mega = open_room(open_as, "member")
    mega.evaluate(
        f"""(data) => {{
            const clipboardData = ({TRANSFER})(data);
            const field = document.getElementById("draft");
            field.dispatchEvent(new ClipboardEvent("paste", {{ clipboardData, cancelable: true }}));
            for (const text of ["dengan foto", "sesudahnya"]) {{
                field.value = text;
                field.form.requestSubmit();
            }}
        }}""",
        base64.b64encode(photo.read_bytes()).decode(),
    )
    with_photo, after = (
        mega.locator(".message[data-state=sent]", has_text=text)
        for text in ("dengan foto", "sesudahnya")
    )
    expect(with_photo.locator("a.file-picture[href]")).to_have_count(1)
    expect(after.locator(".file-picture")).to_have_count(0)
    expect(after).to_be_visible()
    expect(mega.locator(".attached-file")).to_have_count(0)


def test_a_crash_loses_neither_the_message_that_is_being_sent_nor_what_is_typed_meanwhile(
    open_as: OpenAs, photo: Path, console_errors: list[str]
) -> None:
    mega = open_room(open_as, "member")
    mega.evaluate(HOLD_MEASURING)
    mega.route("**/files", lambda route: route.abort())
    choose(mega, photo)
    wait_until(lambda: stored_files(mega) == 1, 30, "the file is stored")
    mega.fill("#draft", "dengan foto")
    mega.click(SEND)
    mega.fill("#draft", "sementara itu")
    mega.reload()
    mega.unroute("**/files")
    sent = mega.locator(".message[data-state=sent]", has_text="dengan foto")
    expect(sent.locator("a.file-picture[href]")).to_have_count(1)
    expect(mega.locator("#draft")).to_have_value("sementara itu")
    expect(mega.locator(".attached-file")).to_have_count(0)
    console_errors[:] = [c for c in console_errors if ABORTED not in c]


def test_a_picture_keeps_the_focus_though_its_message_arrives_again(
    app: Flask, open_as: OpenAs, client_as: Callable[[str], FlaskClient]
) -> None:
    friend = client_as("friend")
    file = upload(friend, half_red(), "a.jpg").get_json()
    message = send(friend, [file["id"]]).get_json()
    mega = open_room(open_as, "member")
    mega.locator("a.file-picture").press("Enter")
    expect(mega.locator("#lightbox img")).to_be_visible()
    url = f"{MESSAGES}/{message['id']}"
    assert friend.patch(url, json={"message": "kemarin"}).status_code == 200
    with app.app_context():
        broadcast.publish(db.session.scalars(select(Ukm.id).where(Ukm.code == "ROBOTIK")).one())
    expect(mega.locator(".message-text")).to_have_text("kemarin")
    mega.keyboard.press("Escape")
    expect(mega.locator("a.file-picture")).to_be_focused()


def test_messages_keep_their_height_when_pictures_load(
    open_as: OpenAs, client_as: Callable[[str], FlaskClient]
) -> None:
    friend = client_as("friend")
    for n in range(4):
        wide = encoded(Image.new("RGB", (900, 500 + 300 * n), (n, 90, 90)), "JPEG")
        file = upload(friend, wide, f"{n}.jpg", client_id=f"f{n}").get_json()
        assert send(friend, [file["id"]], client_id=f"m{n}").status_code == 201
    mega = open_as("member", "/ukm", PHONE)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    mega.route("**/thumbnail", hold)
    mega.goto(mega.url.replace("/ukm", ROOM))
    mega.wait_for_selector(LIVE)
    heights = "[...document.querySelectorAll('.message')].map((each) => each.offsetHeight)"
    before = mega.evaluate(heights)
    mega.wait_for_function("() => document.querySelectorAll('.file-picture img').length === 4")
    for route in held:
        route.continue_()
    mega.unroute("**/thumbnail")
    mega.wait_for_function(
        "() => [...document.querySelectorAll('.file-picture img')]"
        ".some((image) => image.complete && image.naturalWidth)"
    )
    assert mega.evaluate(heights) == before
    assert loaded_pictures(mega)


def test_the_photos_of_a_message_follow_each_other_and_a_lost_one_is_named(
    open_as: OpenAs, client_as: Callable[[str], FlaskClient], console_errors: list[str]
) -> None:
    friend = client_as("friend")
    files = [upload(friend, half_red(), f"{n}.jpg", client_id=n).get_json() for n in "ab"]
    assert send(friend, [each["id"] for each in files]).status_code == 201
    mega = open_room(open_as, "member")
    mega.locator("a.file-picture").first.press("Enter")
    dialog = mega.locator("#lightbox")
    expect(dialog.get_by_role("status")).to_have_text(re.compile("1/2$"))
    mega.keyboard.press("ArrowRight")
    expect(dialog.get_by_role("status")).to_have_text(re.compile("2/2$"))
    mega.route(f"**/files/{files[0]['id']}*", lambda route: route.abort())
    dialog.get_by_role("button", name="Foto berikutnya").click()
    expect(dialog.get_by_role("status")).to_have_text("Foto ini tidak dapat dimuat. 1/2")
    expect(dialog.locator("img")).to_be_hidden()
    mega.keyboard.press("ArrowLeft")
    expect(dialog.locator("img")).to_be_visible()
    console_errors[:] = [line for line in console_errors if "ERR_FAILED" not in line]
