"""Joining and leaving a UKM, and the list of the user's UKMs."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.db.session import transaction
from myukm.domain.actor import Actor
from myukm.domain.ukm import administration as ukm_administration
from myukm.models import Membership
from tests.support.people import UKM
from tests.web.test_chat import count_queries

ClientAs = Callable[[str], FlaskClient]


@pytest.mark.parametrize("who", ["outsider", "admin", "bendahara", "operator"])
def test_everyone_may_join_by_code_and_leave(client_as: ClientAs, who: str) -> None:
    client = client_as(who)
    assert client.post("/ukm/join", json={"code": " robotik "}).status_code == 200
    assert client.get(f"/ukm/{UKM}/messages").status_code == 200
    assert client.post("/ukm/join", json={"code": UKM}).status_code == 409
    assert client.post(f"/ukm/{UKM}/leave").status_code == 200
    assert client.post(f"/ukm/{UKM}/leave").status_code == 404


@pytest.mark.parametrize("code", ["", "NOWHERE", "x" * 1000, "%"])
def test_an_unknown_code_is_404(client_as: ClientAs, code: object) -> None:
    answer = client_as("outsider").post("/ukm/join", json={"code": code})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "no_such_code")


def test_without_a_log_in_calls_are_401_and_pages_redirect(client_as: ClientAs) -> None:
    nobody = client_as("nobody")
    assert nobody.post("/ukm/join", json={"code": UKM}).status_code == 401
    assert nobody.get("/ukm").location == "/login?next=/ukm"


def test_a_form_without_javascript_redirects_to_the_chat(client_as: ClientAs) -> None:
    answer = client_as("outsider").post("/ukm/join", data={"code": UKM})
    assert (answer.status_code, answer.location) == (303, f"/ukm/{UKM}/chat")


def test_guessing_codes_is_rate_limited(client_as: ClientAs) -> None:
    client = client_as("outsider")
    for _ in range(25):
        assert client.post("/ukm/join", json={"code": "PRAMUKA"}).status_code == 409, "no guess"
    answers = [client.post("/ukm/join", json={"code": f"X{n}"}).status_code for n in range(22)]
    assert answers == [404] * 20 + [429] * 2, "twenty wrong codes an hour"
    assert client_as("friend").post("/ukm/join", json={"code": "PRAMUKA"}).status_code == 200


def test_messages_from_before_joining_count_as_read(client_as: ClientAs) -> None:
    sent = {"message": "Halo", "client_id": "c"}
    client_as("member").post(f"/ukm/{UKM}/messages", json=sent)
    outsider = client_as("outsider")
    outsider.post("/ukm/join", json={"code": UKM})
    page = outsider.get("/ukm").text
    assert "Halo" in page
    assert ">0</span>" in page


def test_the_list_makes_a_fixed_number_of_queries(
    app: Flask, people: dict[str, int], client_as: ClientAs
) -> None:
    member = client_as("member")
    few = count_queries(app, lambda: member.get("/ukm"))
    with app.app_context():
        for n in range(30):
            made = ukm_administration.create(f"Unit {n}", f"U{n}", by=Actor("test"))
            with transaction() as session:
                session.add(Membership(ukm_id=made.id, user_id=people["member"]))
    many = count_queries(app, lambda: member.get("/ukm"))
    assert few == many <= 5
