"""The app on the home screen: manifest, service worker and app shell, as browsers fetch them."""

import json
import re
from pathlib import Path

from flask import Flask

from myukm.web.http import joined_modules
from tests.web.http.test_static_files import FOREVER


def test_the_manifest_names_icons_that_exist(app: Flask) -> None:
    client = app.test_client()
    with client.get("/manifest.webmanifest") as answer:
        assert answer.mimetype == "application/manifest+json"
        found = json.loads(answer.get_data())
    assert (found["id"], found["scope"], found["display"]) == ("/", "/", "standalone")
    assert {each["purpose"] for each in found["icons"]} == {"any", "maskable"}
    for each in found["icons"]:
        with client.get(each["src"]) as icon:
            assert (icon.status_code, icon.mimetype) == (200, "image/png")


def test_every_page_links_the_manifest(app: Flask) -> None:
    assert (
        '<link rel="manifest" href="/manifest.webmanifest">' in app.test_client().get("/login").text
    )


def test_the_shell_consists_of_immutable_static_files(app: Flask) -> None:
    client = app.test_client()
    with client.get("/sw.js") as answer:
        script = answer.get_data(as_text=True)
        assert answer.headers["Cache-Control"] == "no-cache"
    shell = json.loads(re.findall(r"^const SHELL = (.+);$", script, re.MULTILINE)[0])
    assert any(each.endswith("/joined/pages/offline.js") for each in shell)
    for each in shell:
        with client.get(each) as answer:
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, FOREVER), each


def test_the_offline_page_is_the_same_for_everybody(app: Flask, client_as) -> None:
    pages = {client_as(who).get("/offline").text for who in ("nobody", "member", "admin")}
    (only,) = pages
    assert "Tanpa jaringan" in only
    assert "data-account" not in only


def test_the_offline_page_has_the_styles_of_a_room(client_as) -> None:
    """Both show messages with quotes and reactions; only a room lists members."""
    room, offline = (
        set(re.findall(r"\w+", "+".join(re.findall(r"/css/([\w+]+)\.css", page))))
        for page in (
            client_as("member").get(path).text for path in ("/ukm/ROBOTIK/chat", "/offline")
        )
    )
    assert (room - offline, offline - room) == ({"members"}, {"offline"})


def test_a_changed_offline_page_changes_the_service_worker(app: Flask) -> None:
    """A browser fetches the offline page again only when the service worker's script differs."""
    client = app.test_client()
    scripts = set()
    for lang in ("id", "en", "id"):
        client.post("/language", data={"lang": lang})
        scripts.add(client.get("/sw.js").text)
    assert len(scripts) == 2


def test_the_offline_page_has_all_texts_that_its_modules_show(app: Flask) -> None:
    page = app.test_client().get("/offline").text
    strings = json.loads(page.partition('id="page-strings">')[2].partition("</script>")[0])
    folder = Path(str(app.static_folder))
    modules = joined_modules.imports(str(folder), "pages/offline")
    source = "".join((folder / "js" / f"{name}.js").read_text() for name in modules)
    shown = set(re.findall(r"\bt\(\"(\w+)\"", source))
    assert set() != shown <= strings.keys()
