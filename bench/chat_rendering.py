"""Frame times of a chat with 5,000 messages on a slow phone, with and without `content-visibility`.

    python -m bench.chat_rendering [--messages 5000] [--slower 4] [--turns 3]

Real gunicorn, and Chromium with a phone's viewport and a throttled CPU. The baseline is the same
page with `content-visibility` switched off; the measurements alternate between the two.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from sqlalchemy import insert

from bench.arguments import positive_float, positive_int
from bench.report import row
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.ukm import memberships
from myukm.models import ChatMessage
from tests.browser.conftest import ARGUMENTS, PHONE
from tests.browser.test_chat_long import LOAD_ALL
from tests.faults.campus import Campus
from tests.support.people import NAMES, PASSWORD, UKM

# Returns the 95th percentile of the frame times, in ms.
SCROLL = """
  async () => {
    const box = document.getElementById('timeline');
    const durations = [];
    box.scrollTop = 1e9;
    let before = performance.now();
    for (let n = 0; n < 100; n += 1) {
      box.scrollTop -= 400;
      await new Promise(requestAnimationFrame);
      durations.push(performance.now() - before);
      before = performance.now();
    }
    return durations.sort((a, b) => a - b)[95];
  }
"""
# Returns the 95th percentile of the time from a key to the end of the next frame, in ms.
TYPE = """
  async () => {
    const field = document.getElementById('draft');
    const durations = [];
    for (let n = 0; n < 20; n += 1) {
      const at = performance.now();
      field.value += 'x';
      field.dispatchEvent(new InputEvent('input'));
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      durations.push(performance.now() - at);
    }
    return durations.sort((a, b) => a - b)[18];
  }
"""
RENDER_ALL = ".message-chunk { content-visibility: visible !important }"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--messages", type=positive_int, default=5000)
    parser.add_argument(
        "--slower", type=positive_float, default=4, help="how many times slower than this machine"
    )
    parser.add_argument("--turns", type=positive_int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        campus = Campus(Path(name), students=1)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        try:
            fill(campus, options.messages)
            page = browser.new_context(viewport=PHONE).new_page()  # type: ignore[arg-type]
            open_room(page, campus.url, options)
            measure(page, options.turns)
        finally:
            browser.close()
            campus.stop()


def fill(campus: Campus, count: int) -> None:
    """Write messages of different lengths."""
    with campus.app.app_context(), transaction() as session:
        membership = memberships.get_membership(campus.people["member"], UKM)
        rows = [
            {
                "ukm_id": membership.ukm_id,
                "user_id": campus.people[("member", "friend")[n // 3 % 2]],
                "client_id": f"l{n}",
                "number": n,
                "body": f"pesan {n} " + "kata " * (n * 7 % 60),
                "published_at": utcnow(),
            }
            for n in range(1, count + 1)
        ]
        session.execute(insert(ChatMessage), rows)
        membership.ukm.last_number = membership.read_number = count


def open_room(page: Page, url: str, options: argparse.Namespace) -> None:
    """Log in, open the chat and load all messages."""
    page.goto(f"{url}/login")
    page.fill("[name=nim]", NAMES["member"][0])
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda there: "/login" not in there)
    page.goto(f"{url}/ukm/{UKM}/chat")
    page.wait_for_selector('html[data-stream="open"]')
    assert page.evaluate(LOAD_ALL, options.messages) == options.messages
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": options.slower})


def measure(page: Page, turns: int) -> None:
    """Scroll and type with and without `content-visibility` in turns, and print medians."""
    page.evaluate("document.adoptedStyleSheets = [new CSSStyleSheet()]")
    measured: dict[str, list[float]] = {}
    for _ in range(turns):
        for kind, rule in (("as it is", ""), ("all rendered", RENDER_ALL)):
            page.evaluate("(rule) => document.adoptedStyleSheets[0].replaceSync(rule)", rule)
            for act, script in (("a frame while scrolling", SCROLL), ("a key", TYPE)):
                measured.setdefault(f"{act}, {kind}", []).append(page.evaluate(script))
    for name, values in measured.items():
        row(f"{name}, p95", statistics.median(values), "ms")


if __name__ == "__main__":
    main()
