"""Print Lighthouse's scores: `python -m tools.lighthouse http://127.0.0.1:5000 [--preset desktop]`.

Each page is loaded as on a slow phone (Lighthouse's default), with an account of the sample campus.
npx downloads Lighthouse, because nothing else needs it. On a busy machine scores are too low.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import sync_playwright

from tools.screenshots import CHROMIUM, log_in

LIGHTHOUSE = "lighthouse@12.8.2"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
PAGES = {
    "": ["/login"],
    "admin": [
        "/admin/siswa",
        "/admin/tunggakan",
        "/admin/sync-pembayaran",
        "/admin/antrian",
        "/admin/users",
    ],
    "anggota": ["/ukm", "/ukm/ROBOTIK/chat", "/profile"],
}
# The chat's goal is lower, because its first screen has 50 messages.
MIN_SCORE, MIN_CHAT_SCORE = 0.95, 0.90


def main() -> int:
    """Print a line per page; exit 1 when a score is below its goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("--preset", choices=("desktop",))
    parser.add_argument("--details", action="store_true", help="name the audits that fail")
    options = parser.parse_args()
    missed = 0
    print(f"{'page':32}" + "".join(f"{name:>16}" for name in CATEGORIES))
    for role, paths in PAGES.items():
        cookie = session_cookie(options.address, role) if role else ""
        for path in paths:
            found = report(options.address.rstrip("/") + path, cookie, options.preset)
            missed += show(path, found, details=options.details)
    return 1 if missed else 0


def session_cookie(address: str, role: str) -> str:
    """Log in as the first account with that role and return the value of its Cookie header."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(base_url=address)
        log_in(context, role)
        pairs = (f"{each['name']}={each['value']}" for each in context.cookies())
        header = "; ".join(pairs)
        browser.close()
    return header


def report(url: str, cookie: str, preset: str | None) -> dict[str, Any]:
    """Return Lighthouse's report of one page."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report.json"
        command = ["npx", "--yes", LIGHTHOUSE, url, "--quiet", "--output=json"]
        command += [f"--output-path={path}", f"--only-categories={','.join(CATEGORIES)}"]
        command += ["--chrome-flags=--headless=new --no-sandbox --disable-gpu"]
        if cookie:
            command.append(f"--extra-headers={json.dumps({'Cookie': cookie})}")
        if preset:
            command.append(f"--preset={preset}")
        subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": CHROMIUM})
        found: dict[str, Any] = json.loads(path.read_text())
    return found


def show(path: str, found: dict[str, Any], *, details: bool) -> bool:
    """Print the scores of a page; return whether one is below its goal."""
    scores = [found["categories"][name]["score"] or 0 for name in CATEGORIES]
    print(f"{path:32}" + "".join(f"{score * 100:16.0f}" for score in scores), flush=True)
    if details:
        for audit in found["audits"].values():
            if audit["score"] is not None and audit["score"] < 0.9:
                print(f"    {audit['id']}: {audit.get('displayValue', audit['title'])}")
    goals = [MIN_CHAT_SCORE if path.endswith("/chat") else MIN_SCORE, *[MIN_SCORE] * 3]
    return any(score < goal for score, goal in zip(scores, goals, strict=True))


if __name__ == "__main__":
    sys.exit(main())
