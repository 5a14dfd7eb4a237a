"""Forms that search and filter: sent as a browser sends them, with every field, empty ones too."""

from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient

from tests.support.people import UKM

ClientAs = Callable[[str], FlaskClient]
BROWSER = {"Accept": "text/html"}
PAGES = [
    ("admin", "/admin/siswa"),
    ("admin", "/admin/tunggakan"),
    ("admin", "/admin/penerimaan"),
    ("admin", "/admin/log"),
    ("admin", "/admin/users"),
    ("admin", "/admin/ukm"),
    ("admin", "/admin/audit"),
    ("member", "/ukm/search"),
    ("member", "/ukm/directory"),
    ("member", f"/ukm/{UKM}/search"),
]


class Forms(HTMLParser):
    """The forms of a page with the method GET, each as (action, fields in their first state)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._fields: dict[str, str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form" and values.get("method", "get").lower() == "get":
            self._fields = {}
            self.found.append((values.get("action", ""), self._fields))
        name = values.get("name")
        if self._fields is None or not name or "disabled" in values:
            return
        is_box = values.get("type") in ("checkbox", "radio")
        if tag == "select" or (tag == "input" and (not is_box or "checked" in values)):
            self._fields[name] = values.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_a_form_without_input_is_answered(client_as: ClientAs, who: str, path: str) -> None:
    client = client_as(who)
    forms = Forms(client.get(path, headers=BROWSER).text).found
    assert forms
    for action, fields in forms:
        answer = client.get(urljoin(path, action), query_string=fields, headers=BROWSER)
        assert answer.status_code == 200, (action, fields)
