"""Join links and QR codes: who creates them, whom they let join, when they expire."""

import io
import logging
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.extensions import db
from myukm.models import Activity, Membership, Ukm
from tests.support.people import NAMES, PASSWORD, UKM

ClientAs = Callable[[str], FlaskClient]
People = dict[str, int]
OWN = f"/ukm/{UKM}"


@pytest.fixture(autouse=True)
def member_is_admin(app: Flask, people: People) -> None:
    """The person `member` is an admin of ROBOTIK."""
    with app.app_context(), transaction() as session:
        mine = Membership.user_id == people["member"]
        session.execute(update(Membership).where(mine).values(is_admin=True))


@pytest.fixture
def link(client_as: ClientAs) -> str:
    """The path of a link that is valid for a week."""
    return create_link(client_as("member"))


def create_link(client: FlaskClient, days: int = 7) -> str:
    answer = client.post(f"{OWN}/link", json={"days": days})
    assert answer.status_code == 200
    return str(answer.get_json()["url"]).removeprefix("http://localhost")


def set_ukm(app: Flask, **values: object) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Ukm).where(Ukm.code == UKM).values(**values))


def is_member(app: Flask, user_id: int) -> bool:
    with app.app_context():
        query = db.select(Membership.id).join(Ukm).where(Ukm.code == UKM)
        return db.session.scalar(query.where(Membership.user_id == user_id)) is not None


def test_no_log_line_contains_the_token_of_a_link(
    client_as: ClientAs, link: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert client_as("outsider").post(link).status_code == 303
    assert "event=unit.joined" in caplog.text
    assert "path=/gabung/..." in caplog.text
    assert link.removeprefix("/gabung/") not in caplog.text


def test_only_the_button_of_a_join_link_joins(
    app: Flask, client_as: ClientAs, people: People, link: str
) -> None:
    outsider = client_as("outsider")
    for _ in range(2):
        page = outsider.get(link)
        assert (page.status_code, "UKM Robotika" in page.text) == (200, True)
    assert outsider.head(link).status_code == 200
    assert not is_member(app, people["outsider"]), "no GET joins"
    joined = outsider.post(link)
    assert (joined.status_code, joined.location) == (303, f"{OWN}/chat")
    assert is_member(app, people["outsider"])
    assert outsider.get(link).location == f"{OWN}/chat", "members are redirected to the chat"
    assert outsider.post(link).location == f"{OWN}/chat", "the button was pressed twice"
    again = outsider.post(link, json={})
    assert (again.status_code, again.get_json()["error"]["code"]) == (409, "already_member")


def test_a_script_joins_by_a_link_in_lower_case(client_as: ClientAs, link: str) -> None:
    answer = client_as("outsider").post(link.lower(), json={})
    assert answer.get_json() == {"code": UKM, "name": "UKM Robotika"}


def test_after_a_log_in_the_browser_returns_to_the_join_link(
    app: Flask, client_as: ClientAs, people: People, link: str
) -> None:
    nobody = client_as("nobody")
    answer = nobody.get(link)
    assert answer.location == f"/login?next={link}"
    page = nobody.get(answer.location).text
    query = urlencode({"next": link})
    assert f'action="/login?{query}"' in page
    assert f'href="/register?{query}"' in page, "a newcomer makes an account first"
    register = nobody.get(f"/register?{query}").text
    assert f'action="/register?{query}"' in register
    assert f'href="/login?{query}"' in register
    fields = {"nim": NAMES["outsider"][0], "password": PASSWORD}
    assert nobody.post(answer.location, data=fields).location == link
    assert not is_member(app, people["outsider"])
    assert client_as("nobody").post(link, json={}).status_code == 401


def test_all_invalid_links_show_the_same_error(
    app: Flask, client_as: ClientAs, people: People, link: str
) -> None:
    outsider, member = client_as("outsider"), client_as("member")
    headings = set()

    def refused(path: str = link) -> None:
        for answer in (outsider.get(path), outsider.post(path)):
            assert answer.status_code == 404
            headings.add(answer.text.partition("<h1>")[2].partition("</h1>")[0])

    refused("/gabung/7KQM-XW3A-9TRB-AAAA")
    refused("/gabung/%F0%9F%8C%99")
    refused(f"/gabung/{'A' * 400}")
    refused(f"/gabung/{UKM}")
    set_ukm(app, link_until=utcnow() - timedelta(seconds=1))
    refused()
    set_ukm(app, link_until=utcnow() + timedelta(days=1), archived_at=utcnow())
    refused()
    set_ukm(app, archived_at=None)
    assert outsider.get(link).status_code == 200
    assert member.post(f"{OWN}/link/revoke", json={}).get_json() == {"url": None, "until": None}
    refused()
    assert len(headings) == 1
    assert not is_member(app, people["outsider"])


def test_a_link_is_never_shortened_by_extending_it(client_as: ClientAs) -> None:
    member = client_as("member")
    create_link(member, 180)
    until = member.get(f"{OWN}/link").get_json()["until"]
    create_link(member, 30)
    assert member.get(f"{OWN}/link").get_json()["until"] == until


def test_a_valid_link_is_extended_and_an_expired_one_is_replaced(
    app: Flask, client_as: ClientAs
) -> None:
    member = client_as("member")
    first = create_link(member, 1)
    assert create_link(member, 30) == first
    set_ukm(app, link_until=utcnow())
    assert member.get(f"{OWN}/link").get_json() == {"url": None, "until": None}
    second = create_link(member)
    assert second != first
    for days in (0, -1, 2, 10**9):
        assert member.post(f"{OWN}/link", json={"days": days}).status_code == 422
    set_ukm(app, archived_at=utcnow())
    assert member.post(f"{OWN}/link", json={"days": 7}).status_code == 409
    with app.app_context():
        lines = db.session.scalars(db.select(Activity.action).order_by(Activity.id)).all()
    assert lines == ["unit.link_opened"] * 3
    assert "membuka tautan gabung sampai" in member.get(f"{OWN}/log").text


def test_a_blocked_person_gets_the_same_error_by_link_as_by_code(
    client_as: ClientAs, people: People, link: str
) -> None:
    friend = client_as("friend")
    removal = f"{OWN}/members/{people['friend']}/remove"
    client_as("member").post(removal, json={"block": True})
    by_code = friend.post("/ukm/join", json={"code": UKM})
    by_link = friend.post(link, json={})
    assert (by_link.status_code, by_link.get_json()) == (403, by_code.get_json())


def test_guessing_links_is_rate_limited(client_as: ClientAs, link: str) -> None:
    outsider = client_as("outsider")
    wrong = [outsider.get(f"/gabung/AAAA-{n}").status_code for n in range(15)]
    wrong += [outsider.post(f"/gabung/AAAA-{n}").status_code for n in range(7)]
    assert wrong == [404] * 20 + [429] * 2
    assert outsider.get(link).status_code == 429
    assert client_as("bendahara").get(link).status_code == 200


def test_the_server_creates_the_qr_code_as_svg_and_png(
    app: Flask, client_as: ClientAs, link: str
) -> None:
    member = client_as("member")
    svg = member.get(f"{OWN}/link.svg")
    assert svg.mimetype == "image/svg+xml"
    assert b"<svg" in svg.data
    assert b"style" not in svg.data
    picture = member.get(f"{OWN}/link.png")
    assert Image.open(io.BytesIO(picture.data)).size[0] > 500
    poster = member.get(f"{OWN}/poster").text
    for shown in ("UKM Robotika", f"http://localhost{link}", f"{OWN}/link.svg"):
        assert shown in poster
    member.post(f"{OWN}/link/revoke")
    assert member.get(f"{OWN}/link.svg").status_code == 404
    assert "Belum ada tautan gabung" in member.get(f"{OWN}/poster").text
    app.config["PUBLIC_URL"] = "https://ukm.example.org"
    assert create_link(member).startswith("https://ukm.example.org/gabung/")


def test_markup_in_a_ukm_name_is_escaped(app: Flask, client_as: ClientAs, link: str) -> None:
    name = "A\"><script>'🤖 \u202eterbalik"
    client_as("member").post(f"{OWN}/edit", json={"name": name, "description": name})
    pages = (client_as("outsider").get(link), client_as("member").get(f"{OWN}/poster"))
    for page in pages:
        assert page.status_code == 200
        assert "<script>'" not in page.text
        assert "🤖 terbalik" in page.text, "the mark that turns text round is not stored"


@pytest.mark.parametrize("path", ["link", "link.svg", "link.png"])
def test_only_managers_see_the_link(client_as: ClientAs, link: str, path: str) -> None:
    own = {"nobody": 401, "friend": 403, "outsider": 404, "admin": 404, "member": 200}
    campus = {"nobody": 401, "member": 403, "operator": 403, "admin": 200}
    for base, expected in ((OWN, own), (f"/admin{OWN}", campus)):
        for who, status in expected.items():
            answer = client_as(who).get(f"{base}/{path}", headers={"Accept": "application/json"})
            assert (who, answer.status_code) == (who, status)
