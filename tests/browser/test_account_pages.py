"""Pages of accounts: photo, password, deletion, one-time codes, import and filters."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import PHONE, check_current_look, drop_stream_errors
from tests.support.people import PASSWORD, UKM
from tests.support.pictures import half_red
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]
BAD = "nim,name\n101,Ani\n2024001,Mega\n"
GOOD = "nim,name\n101,Ani\n102,Beni\n"


def file(name: str, kind: str, data: bytes) -> Any:
    return {"name": name, "mimeType": kind, "buffer": data}


def assert_clean(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_load_state("load")
    check_current_look(page)


def set_photo(page: Page, data: bytes = half_red()) -> None:
    page.set_input_files("#photo", file("aku.jpg", "image/jpeg", data))
    page.get_by_role("button", name="Simpan foto").click()


def test_a_photo_is_shown_and_another_file_gets_an_error_message(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    page = open_as("member", "/profile", PHONE)
    set_photo(page, b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    expect(page.get_by_role("alert")).to_contain_text("JPEG, PNG, atau WebP")
    assert_clean(page)
    set_photo(page)
    expect(page.get_by_role("img", name="Foto Anda")).to_be_visible()
    page.wait_for_load_state("load")
    seen = page.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert set(seen) == {96, 256}
    assert_clean(page)
    console_errors[:] = [c for c in console_errors if "422" not in c]


def test_others_see_a_new_photo_and_a_deletion_without_a_reload(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    mine = open_as("member", f"/ukm/{UKM}/chat", PHONE)
    friends = open_as("friend", f"/ukm/{UKM}/chat", PHONE)
    expect(friends.locator("html[data-stream=open]")).to_be_attached()
    mine.get_by_role("textbox").fill("selamat tinggal")
    mine.keyboard.press("Enter")
    said = friends.locator(".message", has_text="selamat tinggal")
    expect(said).to_contain_text("Mega Lestari")
    profile = open_as("member", "/profile", PHONE)
    set_photo(profile)
    expect(profile.get_by_role("img", name="Foto Anda")).to_be_visible()
    expect(said.locator(".avatar img")).to_be_attached()
    mine.close()
    expect(profile.locator("html[data-stream=open]")).to_be_attached()
    profile.locator("#password").fill(PASSWORD)
    profile.get_by_role("button", name="Hapus akun saya").click()
    profile.get_by_role("button", name="Hapus akun", exact=True).click()
    profile.wait_for_url("**/login?deleted=1")
    drop_stream_errors(console_errors)
    expect(said).to_contain_text("Pengguna terhapus")
    expect(said.locator(".avatar img")).not_to_be_attached()


def test_a_form_sent_before_the_scripts_loaded_asks_for_confirmation_later(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    page = open_as("member", "/ukm", PHONE)
    held: list[Route] = []
    page.route("**/joined/core/app.js", lambda route: held.append(route))  # noqa: PLW0108 (Playwright inspects its signature)
    page.goto(page.url.replace("/ukm", "/profile"), wait_until="commit")
    page.get_by_role("button", name="Keluar dari semua perangkat").click()
    assert held
    held[0].continue_()
    expect(page.locator("#confirm-everywhere")).to_be_visible()
    page.locator("#confirm-everywhere").get_by_role("button", name="Keluar dari semuanya").click()
    page.wait_for_url("**/login*")
    drop_stream_errors(console_errors)


def test_a_password_is_changed(open_as: OpenAs) -> None:
    page = open_as("member", "/profile", PHONE)
    page.locator("#old").fill(PASSWORD)
    page.locator("#new").fill("kata-sandi-baru")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("sudah diganti")
    assert_clean(page)


def test_a_toggle_button_shows_the_password(open_as: OpenAs) -> None:
    page = open_as("member", "/profile", PHONE)
    field = page.locator("#new")
    button = page.get_by_role("button", name="Tampilkan kata sandi baru")
    expect(button).to_have_attribute("aria-pressed", "false")
    field.fill("kopi-susu7")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Space")
    expect(field).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#old")).to_have_attribute("type", "password")
    assert_clean(page)
    button.click()
    expect(field).to_have_attribute("type", "password")
    button.click()
    page.locator("#old").fill(PASSWORD)
    page.locator("#old").press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("sudah diganti")


def test_a_common_password_gets_an_error_message(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    page = open_as("member", "/profile", PHONE)
    page.locator("#old").fill(PASSWORD)
    page.locator("#new").fill("1234567890")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("mudah ditebak")
    assert_clean(page)
    console_errors[:] = [line for line in console_errors if "422" not in line]


def test_a_password_code_is_shown_after_confirmation(open_as: OpenAs) -> None:
    page = open_as("admin", "/admin/users?q=mega", PHONE)
    page.get_by_role("button", name="Kode kata sandi Mega Lestari").click()
    page.get_by_role("button", name="Buat kode", exact=True).click()
    expect(page.get_by_role("status").first).to_contain_text("Kode kata sandi Mega Lestari")
    assert_clean(page)


def test_a_file_of_accounts_is_checked_before_its_codes_are_downloaded(open_as: OpenAs) -> None:
    page = open_as("admin", "/admin/users/import", PHONE)
    page.set_input_files("#roster", file("orang.csv", "text/csv", BAD.encode()))
    page.get_by_role("button", name="Periksa berkas").click()
    expect(page.locator("#roster-result table")).to_contain_text("NIM ini sudah terdaftar.")
    assert_clean(page)
    page.set_input_files("#roster", file("orang.csv", "text/csv", GOOD.encode()))
    page.get_by_role("button", name="Periksa berkas").click()
    expect(page.locator("#roster-result")).to_contain_text("2 orang siap diundang.")
    with page.expect_download() as download:
        invite = page.get_by_role("button", name="Undang dan unduh kodenya")
        invite.click()
    expect(invite).to_be_disabled()  # a second click would void the saved codes
    assert download.value.suggested_filename == "myukm-codes.csv"
    codes = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert codes[0] == "nim,name,role,code"
    assert codes[1].startswith("101,Ani,anggota,")
    page.set_input_files("#roster", file("lain.csv", "text/csv", GOOD.encode()))
    expect(invite).to_be_enabled()


def test_only_the_check_of_the_chosen_file_is_shown(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    page = open_as("admin", "/admin/users/import", PHONE)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/users/import/check", hold)
    page.set_input_files("#roster", file("orang.csv", "text/csv", BAD.encode()))
    page.get_by_role("button", name="Periksa berkas").click()
    wait_until(lambda: held or page.wait_for_timeout(50), 30, "the first check")
    page.unroute("**/users/import/check")
    page.set_input_files("#roster", file("orang.csv", "text/csv", GOOD.encode()))
    page.get_by_role("button", name="Periksa berkas").click()
    expect(page.locator("#roster-result")).to_contain_text("2 orang siap diundang.")
    expect(page.locator("#toasts > *")).to_have_count(0)
    page.set_input_files("#roster", file("lain.csv", "text/csv", GOOD.encode()))
    expect(page.locator("#roster-result")).to_be_empty()
    page.set_input_files("#roster", file("besar.csv", "text/csv", b"x" * 4_400_000))
    page.get_by_role("button", name="Periksa berkas").click()
    expect(page.locator("#roster-result")).to_contain_text("lebih dari 4 MB")
    console_errors[:] = [line for line in console_errors if "413" not in line]


def test_a_filter_applies_at_once_by_pointer_and_with_the_button_by_keyboard(
    open_as: Callable[..., Page],
) -> None:
    page = open_as("admin", "/admin/users")
    page.locator("#by-role").select_option("operator")
    page.wait_for_url("**role=operator*")
    page.locator("#by-status").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Tampilkan").click()
    page.wait_for_url("**status=active*")


def test_the_code_of_an_invitation_is_copied_by_its_button(open_as: Callable[..., Page]) -> None:
    page = open_as("admin", "/admin/users")
    page.context.grant_permissions(["clipboard-write"])
    page.get_by_role("link", name="Undang", exact=True).press("Enter")
    expect(page.get_by_label("NIM", exact=True)).to_be_focused()
    page.get_by_label("NIM", exact=True).fill("9902")
    page.get_by_label("Nama lengkap").fill("Fitri Uji")
    page.get_by_role("button", name="Buat kode pendaftaran").click()
    page.get_by_role("button", name="Salin kode").click()
    expect(page.locator("#toasts")).to_contain_text("Kode disalin")
