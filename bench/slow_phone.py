"""Seconds until a chat accepts input on a slow phone, and until a message sent at once is stored.

    python -m bench.slow_phone [--rounds 5] [--messages 50] [--slower 4] [--kbits 400] [--rtt 400]

Real gunicorn over HTTP/1.1, and Chromium with a phone's viewport, CPU and network (DevTools). Cold
is the first visit of a browser that has only the session cookie; warm is its next visit, with the
service worker. Seconds count from the navigation. The CPU seconds of the page's thread
depend less on the machine's load.
"""

import argparse
import json
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from bench.arguments import positive_float, positive_int
from bench.chat_rendering import fill
from bench.report import row
from tests.browser.conftest import ARGUMENTS, PHONE
from tests.faults.campus import Campus
from tests.support.people import UKM
from tests.support.waiting import wait_until

GOALS = {"cold": 4.0, "warm": 1.5}
CONTROLLED = "navigator.serviceWorker.controller?.state === 'activated'"
# Sends a message once the room is mounted; resolves to the times (ms since the navigation) of the
# first paint, of the mounted room and of the stored message.
SEND = """
  window.visited = new Promise((resolve) => {
    let ready, text;
    function send() {
      ready = performance.now();
      text = `dari telepon ${Math.random()}`;
      const form = document.getElementById("composer");
      form.elements.message.value = text;
      form.elements.message.dispatchEvent(new InputEvent("input"));
      form.requestSubmit();
    }
    const check = () => {
      if (!ready && document.querySelector("#chat[data-mounted]")) send();
      const own = [...document.querySelectorAll(".message.mine[data-state=sent]")].at(-1);
      if (!text || !own?.textContent.includes(text)) return;
      const [painted] = performance.getEntriesByName("first-contentful-paint");
      resolve([painted.startTime, ready, performance.now()]);
    };
    new MutationObserver(check).observe(document, {
      subtree: true, childList: true, attributes: true,
    });
  });
"""


class Visit(NamedTuple):
    """One visit: seconds from the navigation until the first paint (`painted`), the mounted room
    (`ready`) and the stored message; the page's CPU seconds (`busy`) and traffic until then."""

    painted: float
    ready: float
    stored: float
    busy: float
    kilobytes: float
    requests: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=positive_int, default=5)
    parser.add_argument("--messages", type=positive_int, default=50)
    parser.add_argument(
        "--slower", type=positive_float, default=4, help="times slower than this CPU"
    )
    parser.add_argument("--kbits", type=positive_float, default=400, help="per second")
    parser.add_argument("--rtt", type=float, default=400, help="milliseconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        campus = Campus(Path(name), students=1)
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        try:
            fill(campus, options.messages)
            cookies = campus.log_in("member").cookies.items()
            rounds = [
                one_round(browser, campus.url, cookies, options) for _ in range(options.rounds)
            ]
        finally:
            browser.close()
            campus.stop()
    report(rounds)


def one_round(
    browser: Browser, url: str, cookies: list[tuple[str, str]], options: argparse.Namespace
) -> dict[str, Visit]:
    """Return the cold and the warm visit of a new browser."""
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies])
    context.add_init_script(SEND)
    try:
        return {kind: visit(browser, context, url, options) for kind in GOALS}
    finally:
        context.close()


def visit(
    browser: Browser, context: BrowserContext, url: str, options: argparse.Namespace
) -> Visit:
    """Open the room on the slow phone, send a message, and return the measurements."""
    page = context.new_page()
    devtools = page.context.new_cdp_session(page)
    network = {
        "offline": False,
        "latency": options.rtt,
        "downloadThroughput": options.kbits * 1000 / 8,
        "uploadThroughput": options.kbits * 1000 / 8,
    }
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    sizes: dict[str, float] = {}  # bytes on the wire, by request
    note = lambda sent: sizes.update({sent["requestId"]: sent["encodedDataLength"]})  # noqa: E731
    devtools.on("Network.loadingFinished", note)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", network)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": options.slower})
    slow_down_workers(browser, network)
    page.goto(f"{url}/ukm/{UKM}/chat", wait_until="commit")
    painted, ready, stored = (each / 1000 for each in page.evaluate("window.visited"))
    metrics = devtools.send("Performance.getMetrics")["metrics"]
    busy = next(each["value"] for each in metrics if each["name"] == "TaskDuration")
    received = [size for size in sizes.values() if size > 0]
    found = Visit(painted, ready, stored, busy, sum(received) / 1000, len(received))
    full_speed = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    devtools.send("Network.emulateNetworkConditions", network | full_speed)
    wait_until(lambda: page.evaluate(CONTROLLED), 60, "the service worker has stored the shell")
    page.close()
    return found


def slow_down_workers(browser: Browser, network: dict[str, Any]) -> None:
    """Throttle the service worker as well: for DevTools it is a separate target."""
    session = browser.new_browser_cdp_session()
    message = {"id": 1, "method": "Network.emulateNetworkConditions", "params": network}
    for target in session.send("Target.getTargets")["targetInfos"]:
        if target["type"] != "service_worker":
            continue
        attach = {"targetId": target["targetId"], "flatten": False}
        attached = session.send("Target.attachToTarget", attach)["sessionId"]
        sent = {"sessionId": attached, "message": json.dumps(message)}
        session.send("Target.sendMessageToTarget", sent)


def report(rounds: list[dict[str, Visit]]) -> None:
    """Print medians, with the goals."""
    for kind, goal in GOALS.items():
        visits = [each[kind] for each in rounds]
        painted, ready, stored, busy, size, requests = (
            statistics.median(values) for values in zip(*visits, strict=True)
        )
        row(f"{kind}: first paint after", painted, "s")
        row(f"{kind}: accepts input after", ready, "s")
        row(f"{kind}: message stored after", stored, f"s (goal {goal})")
        row(f"{kind}: message stored after, min", min(each.stored for each in visits), "s")
        row(f"{kind}: the page's thread was busy", busy, "s")
        row(f"{kind}: received until then", size, "kB")
        row(f"{kind}: requests until then", requests, "")


if __name__ == "__main__":
    main()
