"""Former members get no files and messages of a UKM, whatever their browser has cached."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.accounts import accounts
from myukm.domain.actor import Actor
from myukm.domain.ukm import memberships, moderation
from myukm.models import Membership, User
from tests.support.files import send, upload
from tests.support.people import UKM
from tests.support.pictures import half_red

ClientAs = Callable[[str], FlaskClient]
People = dict[str, int]
JSON = {"Accept": "application/json"}
OUTSIDE = {302, 401, 404}


def leave(people: People) -> None:
    memberships.leave(people["member"], UKM)


def remove(people: People) -> None:
    with transaction() as session:
        friend = Membership.user_id == people["friend"]
        session.execute(update(Membership).where(friend).values(is_admin=True))
    moderation.remove(Actor("Farhan", people["friend"]), UKM, people["member"])


def block(people: People) -> None:
    with transaction() as session:
        mega = User.id == people["member"]
        session.execute(update(User).where(mega).values(blocked_at=utcnow()))


def log_out(people: People) -> None:
    with transaction():
        accounts.end_sessions(people["member"])


@pytest.mark.parametrize("happens", [leave, remove, block, log_out])
def test_former_members_get_no_files_and_messages(
    app: Flask, people: People, client_as: ClientAs, happens: Callable[[People], None]
) -> None:
    member = client_as("member")
    file = upload(member, half_red(), "a.jpg").get_json()
    assert send(member, [file["id"]], "rapat").status_code == 201
    places = [file["url"], file["thumbnail"]["url"]]
    tags = [member.get(url, buffered=True).headers["ETag"] for url in places]
    searches = [f"/ukm/{UKM}/search?q=rapat", "/ukm/search?q=rapat"]
    assert all(member.get(url).get_json()["messages"] for url in searches)
    with app.app_context():
        happens(people)
    for url, tag in zip(places, tags, strict=True):
        for kept in ({}, {"If-None-Match": tag}, {"Range": "bytes=0-9"}, {"If-None-Match": "*"}):
            answer = member.get(url, headers=kept, buffered=True)
            assert answer.status_code in OUTSIDE, (url, kept)
            assert "ETag" not in answer.headers
    for url in searches:
        answer = member.get(url, headers=JSON)
        assert answer.status_code in OUTSIDE or answer.get_json()["messages"] == []


def test_a_browser_caches_files_for_one_log_in_only(client_as: ClientAs) -> None:
    """On a shared browser the next person has another cookie."""
    member = client_as("member")
    file = upload(member, half_red(), "a.jpg").get_json()
    for url in (file["url"], file["thumbnail"]["url"]):
        headers = member.get(url, buffered=True).headers
        assert "private" in headers["Cache-Control"]
        assert "Cookie" in headers.getlist("Vary")
