"""Pages on paper, with forced colors, on small screens and without JavaScript."""

from collections.abc import Callable

from flask import Flask
from playwright.sync_api import Browser, Page, expect

from devtools.sample import payments, student
from myukm.db.session import transaction
from myukm.domain.actor import Actor
from myukm.domain.sync import commands
from myukm.models import Siswa
from tests.browser.conftest import OtherMembers, check_axe
from tests.browser.test_chat_text import like
from tests.support.people import UKM
from tests.support.programs import WebServer

OpenAs = Callable[..., Page]
# Returns the texts that end beyond the right edge of their element.
CUT_OFF = """all => all.filter((each) => {
    const text = document.createRange();
    text.selectNodeContents(each);
    return text.getBoundingClientRect().right > each.getBoundingClientRect().right + 0.5;
}).map((each) => each.textContent)"""


def add_student(app: Flask) -> None:
    (account,) = payments(student(0))
    periods = [
        period | {"period_id": year}
        for year in ("20262027", "2025")
        for period in account["periods"]
    ]
    with app.app_context(), transaction() as session:
        session.add(
            Siswa(idperson="S1", nama="Siti", lahirtanggal="2006-01-26", pembayaran=periods)
        )


def test_a_printed_student_shows_every_period_and_no_controls(app: Flask, open_as: OpenAs) -> None:
    add_student(app)
    page = open_as("admin", "/admin/siswa/S1")
    expect(page.locator("#siswa-detail")).to_contain_text("2026/2027")
    expect(page.locator("#siswa-detail")).to_contain_text("26 Jan 2006")
    folded = page.locator("details.period:not([open]) .table")
    expect(folded).not_to_be_visible()
    page.emulate_media(media="print", color_scheme="dark")
    expect(folded).to_be_visible()
    for hidden in ("nav", ".topbar", "#sync-now", ".back"):
        expect(page.locator(hidden).first).not_to_be_visible()
    colour = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(colour) == "rgb(255, 255, 255)"


def test_large_amounts_are_not_cut_off_on_a_narrow_screen(app: Flask, open_as: OpenAs) -> None:
    facts = {"tunggakan": 27_850_000_000, "lebih_bayar": 12_650_000_000}
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="S1", nama="Siti", status="tunggakan", **facts))
    for path in ("/admin/siswa/S1", "/admin/tunggakan", "/admin/penerimaan"):
        page = open_as("admin", path, {"width": 320, "height": 640})
        assert page.locator(".stats.money dd").evaluate_all(CUT_OFF) == [], path


def test_forced_colors_keep_the_current_link_and_the_progress_visible(open_as: OpenAs) -> None:
    page = open_as("admin", "/admin/sync-pembayaran")
    page.emulate_media(forced_colors="active", color_scheme="dark", reduced_motion="reduce")
    check_axe(page)
    current, bar = page.locator("nav [aria-current]").first, page.locator("progress").first
    assert current.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    assert bar.evaluate("element => getComputedStyle(element).borderTopStyle") == "solid"


def test_forced_colors_mark_only_the_current_tab_and_paper_shows_only_it(
    open_as: OpenAs,
) -> None:
    page = open_as("admin", "/admin/antrian")
    page.emulate_media(forced_colors="active")
    colours = page.locator(".tabs a").evaluate_all(
        "all => all.map(each => [each.ariaCurrent, getComputedStyle(each).borderBottomColor])"
    )
    marked = {colour for current, colour in colours if current}
    assert len(colours) > 2
    assert len(marked) == 1
    assert marked.isdisjoint(colour for current, colour in colours if not current)
    page.emulate_media(media="print")
    expect(page.locator(".tabs a").filter(visible=True)).to_have_count(1)


def test_forced_colors_frame_messages(open_as: OpenAs, other_members: OtherMembers) -> None:
    other_members.say("rapat", "@Mega Lestari ayo")
    page = open_as("member", f"/ukm/{UKM}/chat")
    page.emulate_media(forced_colors="active", color_scheme="dark", reduced_motion="reduce")
    check_axe(page)
    frames = page.locator(".bubble").evaluate_all(
        "all => all.map(getComputedStyle).map((each) => [each.outlineStyle, each.outlineWidth])"
    )
    assert frames == [["solid", "1px"], ["solid", "2px"]]


def test_forced_colors_frame_selected_controls(
    open_as: OpenAs, other_members: OtherMembers
) -> None:
    other_members.say("rapat")
    page = open_as("member", f"/ukm/{UKM}/chat")
    like(page, "rapat")
    page.emulate_media(forced_colors="active")
    outline = "each => [getComputedStyle(each).outlineStyle, getComputedStyle(each).outlineWidth]"
    chosen = page.locator('.reaction[aria-pressed="true"]')
    assert chosen.evaluate(outline) == ["solid", "2px"]
    page.keyboard.press("Tab")
    chosen.focus()
    assert chosen.evaluate(outline) == ["solid", "4px"]
    page.goto(page.url.replace(f"/ukm/{UKM}/chat", "/profile"))
    language = page.locator('.languages [aria-pressed="true"]').first
    assert language.evaluate(outline) == ["solid", "2px"]
    theme = page.locator(".choices input:checked + span").first
    assert theme.evaluate(outline) == ["solid", "2px"]


def test_bars_do_not_stay_in_view_on_a_short_screen(open_as: OpenAs) -> None:
    page = open_as("admin", "/admin/sync-pembayaran", {"width": 320, "height": 256})
    position = "getComputedStyle(document.querySelector('{}')).position"
    assert page.evaluate(position.format(".nav")) == "static"
    assert page.evaluate(position.format(".sync-actions")) == "static"
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_notch_covers_nothing(open_as: OpenAs) -> None:
    page = open_as("member", "/ukm", {"width": 740, "height": 360})
    insets = {"insets": {"left": 47, "leftMax": 47, "right": 47, "rightMax": 47}}
    page.context.new_cdp_session(page).send("Emulation.setSafeAreaInsetsOverride", insets)
    page.locator(".topbar [popovertarget=menu]").click()
    for each in page.locator(":is(.topbar, .page, .nav-list, .menu-list):visible").all():
        box = each.bounding_box()
        assert box
        assert box["x"] >= 47
        assert box["x"] + box["width"] <= 740 - 47


def test_a_page_without_javascript_says_what_does_not_work_and_shows_no_loading_texts(
    app: Flask,
    chromium: Browser,
    web: WebServer,
    session_cookie: Callable[[str], tuple[str, str]],
) -> None:
    add_student(app)
    with app.app_context():
        commands.start(Actor("Budi"))
    for who, path in (
        ("admin", "/admin/sync-pembayaran"),
        ("admin", "/admin/antrian"),
        ("member", f"/ukm/{UKM}/chat"),
    ):
        name, value = session_cookie(who)
        with chromium.new_context(java_script_enabled=False) as context:
            context.add_cookies([{"name": name, "value": value, "url": web.url}])
            page = context.new_page()
            page.goto(f"{web.url}{path}")
            expect(page.locator("noscript > .notice")).to_be_visible()
            for placeholder in ("Memuat", "Belum ada catatan"):
                expect(page.get_by_text(placeholder).filter(visible=True)).to_have_count(0)
            if path.endswith("sync-pembayaran"):
                expect(page.locator("noscript .log-line")).to_contain_text("Dimulai oleh Budi.")
