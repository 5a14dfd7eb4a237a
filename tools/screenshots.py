"""Take pictures of every page: `python -m tools.screenshots http://127.0.0.1:5000 FOLDER`.

Each page is drawn on a phone (390 px) and a desktop (1,280 px), in light and dark, with accounts of
the sample campus. Prints what a page writes to its console, and which pages are too wide.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from devtools.sample import ACCOUNTS

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SIZES = {390: 844, 1280: 800}
SCHEMES = ("light", "dark")
PAGES = {
    None: {
        "login": "/login",
        "register": "/register",
        "reset": "/reset-password",
        "missing": "/no-such-page",
        "offline": "/offline",
    },
    "admin": {
        "siswa": "/admin/siswa",
        "siswa-empty": "/admin/siswa?q=zzzzzz",
        "siswa-import": "/admin/impor-siswa",
        "tunggakan": "/admin/tunggakan?group=unit",
        "tunggakan-files": "/admin/tunggakan/berkas",
        "penerimaan": "/admin/penerimaan",
        "sync": "/admin/sync-pembayaran",
        "runs": "/admin/sync-pembayaran/runs",
        "antrian": "/admin/antrian",
        "failed-jobs": "/admin/antrian/gagal",
        "log": "/admin/log",
        "users": "/admin/users",
        "users-import": "/admin/users/import",
        "admin-ukm": "/admin/ukm",
        "audit": "/admin/audit",
    },
    "anggota": {
        "ukm": "/ukm",
        "mentions": "/ukm/mentions",
        "directory": "/ukm/directory",
        "search": "/ukm/search?q=lomba",
        "profile": "/profile",
        "notifications": "/profile/notifications",
    },
}
FIRST_LINK = {
    "siswa": ("siswa-show", ".row-link"),
    "runs": ("run", ".row-link"),
    "admin-ukm": ("admin-ukm-manage", ".row-link"),
    "ukm": ("chat", ".ukm a"),
}


def main() -> int:
    """Take all pictures; return 1 if a page wrote to its console or was too wide, otherwise 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        problems = list(take_pictures(browser, options.address.rstrip("/"), options.folder))
        browser.close()
    print(*problems, sep="\n")
    return 1 if problems else 0


def take_pictures(browser: Browser, address: str, folder: Path) -> Iterator[str]:
    """Draw all pages into `folder`; yield what is wrong with them."""
    for width, scheme, role in product(SIZES, SCHEMES, PAGES):
        context = browser.new_context(
            base_url=address,
            viewport={"width": width, "height": SIZES[width]},
            color_scheme=scheme,
            has_touch=width < 500,
            reduced_motion="reduce",
        )
        if role:
            log_in(context, role)
        yield from pictures(context, PAGES[role], folder, f"{width}-{scheme}.png")
        context.close()


def log_in(context: BrowserContext, role: str) -> None:
    """Log in as the sample campus's first account with that role."""
    person = next(account for account in ACCOUNTS if account.role == role)
    answer = context.request.post("/login", data={"nim": person.nim, "password": person.password})
    if not answer.ok:
        sys.exit(f"log-in of {person.nim} failed: {answer.status} {answer.text()}")


def pictures(
    context: BrowserContext, pages: dict[str, str], folder: Path, ending: str
) -> Iterator[str]:
    """Draw these pages, and of a list also its first entry; yield what is wrong with them."""
    for name, path in pages.items():
        page = context.new_page()
        console: list[str] = []
        page.on("console", lambda message, console=console: console.append(message.text))
        page.on("pageerror", lambda error, console=console: console.append(str(error)))
        page.goto(path)
        yield from picture(page, folder / f"{name}-{ending}", console)
        entry, link = FIRST_LINK.get(name, ("", ""))
        if entry and page.locator(link).count():
            page.locator(link).first.click()
            page.wait_for_load_state("load")
            yield from picture(page, folder / f"{entry}-{ending}", console)
        page.close()


def picture(page: Page, file: Path, console: list[str]) -> Iterator[str]:
    """Draw the page once its stream is open; yield its console's messages and clear `console`."""
    if page.locator("html[data-stream]").count():
        page.locator("html[data-stream=open]").wait_for(state="attached")
    page.screenshot(path=file, full_page=True)
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        console.append("wider than the screen")
    for text in console if not file.name.startswith("missing") else ():
        yield f"{file.name}: {text}"
    console.clear()


if __name__ == "__main__":
    sys.exit(main())
