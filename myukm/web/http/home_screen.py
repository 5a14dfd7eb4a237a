"""The site as an app on a home screen: web app manifest, service worker, offline page."""

import json
import re
from hashlib import sha256

from flask import Flask, Response, render_template
from flask_babel import get_locale
from flask_babel import gettext as _

from myukm.web.http.static_files import static_folder, static_url

OFFLINE = "/offline"
COLOURS = {"theme_color": "#0d2d35", "background_color": "#0d2d35"}
ICONS = (("icon-192.png", 192, "any"), ("icon-512.png", 512, "any"))
MASKABLE = ("maskable-512.png", 512, "maskable")
STATIC = re.compile(r'(?:href|src)="(/static/v-[^"#]+)')


def init_app(app: Flask) -> None:
    """Register the routes."""
    app.add_url_rule("/manifest.webmanifest", "manifest", manifest)
    app.add_url_rule("/sw.js", "service_worker", service_worker)
    app.add_url_rule(OFFLINE, "offline", offline)


def manifest() -> Response:
    """Return the web app manifest."""
    icons = [
        {
            "src": static_url(f"icons/{name}"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for name, size, purpose in (*ICONS, MASKABLE)
    ]
    return _uncached(
        json.dumps(
            {
                "id": "/",
                "name": "MyUKM",
                "short_name": "MyUKM",
                "description": _("Satu tempat untuk unit kegiatan dan pembayaran siswa."),
                "lang": str(get_locale()),
                "start_url": "/",
                "scope": "/",
                "display": "standalone",
                "icons": icons,
                **COLOURS,
            }
        ),
        "application/manifest+json",
    )


def service_worker() -> Response:
    """Return the service worker, whose scope is the path that serves it.

    The script contains the URLs of the static files and a digest of the offline page. So a new
    version of these files or this page, or another language, changes the script, and browsers
    install the changed script on the next page.
    """
    script = (static_folder() / "js/push/service_worker.js").read_text()
    page = offline()
    constants = {
        "STATIC": static_url(""),
        "OFFLINE": OFFLINE,
        "VERSION": sha256(page.encode()).hexdigest()[:10],
        "SHELL": shell(page),
    }
    lines = "".join(f"const {name} = {json.dumps(each)};\n" for name, each in constants.items())
    return _uncached(lines + script, "text/javascript")


def offline() -> str:
    """Return the page that the service worker shows without network.

    It is the same for everybody. Its script reads the account and its messages from the browser's
    storage.
    """
    return render_template("offline.html")


def shell(page: str) -> list[str]:
    """Return the URLs of all static files that the offline page needs."""
    return sorted({*STATIC.findall(page), static_url("icons.svg")})


def _uncached(body: str, mimetype: str) -> Response:
    return Response(body, mimetype=mimetype, headers={"Cache-Control": "no-cache"})
