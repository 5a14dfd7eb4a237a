"""The calls of the chat: their responses, and who may make them."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.chat import broadcast
from myukm.models import ChatReaction, Membership, User
from tests.support.people import UKM
from tests.support.statements import recorded_statements

ClientAs = Callable[[str], FlaskClient]
URL = f"/ukm/{UKM}"
STRANGERS = ("outsider", "admin", "bendahara", "operator")
CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/chat", None),
    ("GET", "/messages", None),
    ("POST", "/messages", {"message": "Halo", "client_id": "x"}),
    ("POST", "/messages", {}),
    ("PATCH", "/messages/1", {"message": "Hai"}),
    ("DELETE", "/messages/1", None),
    ("PUT", "/messages/1/reactions/👍", None),
    ("DELETE", "/messages/1/reactions/👍", None),
    ("GET", "/names?q=m", None),
    ("GET", "/search?q=halo", None),
    ("GET", "/search", None),
    ("PUT", "/notices", {"notices": "none"}),
    ("POST", "/typing", None),
    ("POST", "/messages/1/unread", None),
    ("POST", "/read", {"last_id": 1}),
    ("GET", "/online", None),
    ("POST", "/leave", None),
]


def post(client: FlaskClient, message: object = "Halo", client_id: object = "c1", **more: Any):
    sent = {"message": message, "client_id": client_id, **more}
    return client.post(f"{URL}/messages", json=sent)


def code(answer: Any) -> str:
    return answer.get_json()["error"]["code"]


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_people_who_are_not_members_get_404_whatever_their_role(
    client_as: ClientAs, stranger: str, method: str, path: str, body: Any
) -> None:
    post(client_as("member"))
    client = client_as(stranger)
    answer = client.open(f"{URL}{path}", method=method, json=body)
    nowhere = client.open(f"/ukm/NOWHERE{path}", method=method, json=body)
    assert (answer.status_code, nowhere.status_code) == (404, 404)
    assert timeless(answer.text) == timeless(nowhere.text.replace("NOWHERE", UKM))


def timeless(page: str) -> str:
    """Return a page without the moment when it was made."""
    return re.sub(r'data-now="[^"]*"', "", page)


@pytest.mark.parametrize(("method", "path", "body"), CALLS[1:])
def test_without_a_log_in_every_call_is_401(
    client_as: ClientAs, method: str, path: str, body: Any
) -> None:
    answer = client_as("nobody").open(f"{URL}{path}", method=method, json=body)
    assert answer.status_code == 401


@pytest.mark.parametrize("strange", ["%00", "robotik", "ROBOTIK%20", "😀", "A" * 300])
def test_a_strange_code_is_not_found(client_as: ClientAs, strange: str) -> None:
    assert client_as("member").get(f"/ukm/{strange}/messages").status_code == 404


def test_posting_the_same_client_id_again_returns_the_stored_message(client_as: ClientAs) -> None:
    member = client_as("member")
    first = post(member)
    again = post(member, "lain")
    assert (first.status_code, again.status_code) == (201, 200)
    message = first.get_json()
    assert message == again.get_json()
    assert set(message) >= {
        "id", "client_id", "ukm", "user_id", "name", "message", "created_at", "edited_at", "deleted"
    }  # fmt: skip
    assert (message["ukm"], message["name"], message["message"], message["deleted"]) == (
        UKM,
        "Mega Lestari",
        "Halo",
        False,
    )
    assert message["created_at"].endswith("Z")


@pytest.mark.parametrize(
    "body",
    [{}, {"message": "x"}, {"client_id": "c"}, {"message": 5, "client_id": "c"}, [], "x", None]
    + [{"message": text, "client_id": "c"} for text in ("", " \n", "\u200b", "x" * 1001, None)]
    + [{"message": "x", "client_id": wrong} for wrong in ("", "y" * 65, 7, None, [])],
)
def test_bad_input_is_422_with_a_message(client_as: ClientAs, body: Any) -> None:
    answer = client_as("member").post(f"{URL}/messages", json=body)
    assert answer.status_code == 422
    assert set(answer.get_json()["error"]) == {"code", "message"}


@pytest.mark.parametrize("broken", [b"{", b"[" * 5000, b"\xff"])
def test_broken_json_is_400(client_as: ClientAs, broken: bytes) -> None:
    there = f"{URL}/messages"
    answer = client_as("member").post(there, data=broken, content_type="application/json")
    assert (answer.status_code, code(answer)) == (400, "bad_json")


def test_a_page_rendered_for_another_account_gets_401(
    client_as: ClientAs, people: dict[str, int]
) -> None:
    client = client_as("member")
    for who, status in (("friend", 401), ("member", 201)):
        headers = {"X-Account": str(people[who])}
        sent = {"message": "x", "client_id": who}
        assert client.post(f"{URL}/messages", json=sent, headers=headers).status_code == status
    assert client.get(f"/stream?account={people['friend']}").status_code == 401


def test_a_body_of_two_megabytes_is_413(client_as: ClientAs) -> None:
    answer = post(client_as("member"), " " * 2_000_000)
    assert (answer.status_code, code(answer)) == (413, "request_entity_too_large")


def test_a_member_who_posts_too_fast_gets_429_but_others_do_not(client_as: ClientAs) -> None:
    member = client_as("member")
    answers = [post(member, client_id=f"c{n}").status_code for n in range(22)]
    assert answers == [201] * 20 + [429] * 2
    assert post(client_as("friend")).status_code == 201


def test_a_muted_member_gets_403(app: Flask, people: dict[str, int], client_as: ClientAs) -> None:
    member = client_as("member")
    with app.app_context(), transaction() as session:
        session.execute(update(Membership).values(muted_until=utcnow() + timedelta(days=365)))
    assert (post(member).status_code, code(post(member))) == (403, "muted")


def test_people_who_left_were_blocked_or_logged_out_cannot_post(
    app: Flask, people: dict[str, int], client_as: ClientAs
) -> None:
    member, friend, kept = client_as("member"), client_as("friend"), client_as("friend")
    assert member.post(f"{URL}/leave").status_code == 200
    assert post(member).status_code == 404
    friend.post("/logout")
    assert (post(friend).status_code, post(kept).status_code) == (401, 201)
    with app.app_context(), transaction() as session:
        blocked = update(User).where(User.id == people["friend"])
        session.execute(blocked.values(blocked_at=utcnow()))
    assert post(kept, client_id="c2").status_code == 401


def test_messages_come_in_pages_with_the_cursor_of_the_event_log(
    app: Flask, client_as: ClientAs
) -> None:
    member = client_as("member")
    ids = [post(member, str(n), f"c{n}").get_json()["id"] for n in range(5)]

    def page(**query: Any) -> list[int]:
        answer = member.get(f"{URL}/messages", query_string=query).get_json()
        return [message["id"] for message in answer["messages"]]

    assert page() == ids
    assert page(limit=2) == ids[3:]
    assert page(before=ids[3], limit=2) == ids[1:3]
    assert page(after=ids[1], limit=2) == ids[2:4]
    assert page(after=0, limit=1000) == ids
    before = member.get(f"{URL}/messages").get_json()["cursor"]
    with app.app_context():
        broadcast.publish(1)
    after = member.get(f"{URL}/messages").get_json()["cursor"]
    assert (before, after) == ("0", "5")


@pytest.mark.parametrize(
    "query", ["limit=x", "before=-1", "after=1e3", "before=٣", "after=", f"limit={'9' * 30}"]
)
def test_an_invalid_page_query_is_422(client_as: ClientAs, query: str) -> None:
    assert client_as("member").get(f"{URL}/messages?{query}").status_code == 422


def test_the_author_edits_and_deletes_a_message(client_as: ClientAs) -> None:
    member, friend = client_as("member"), client_as("friend")
    one = f"{URL}/messages/{post(member).get_json()['id']}"
    edited = member.patch(one, json={"message": "Hai"})
    assert (edited.status_code, edited.get_json()["message"]) == (200, "Hai")
    assert friend.patch(one, json={"message": "Hai"}).status_code == 403
    assert friend.delete(one).status_code == 403
    assert member.delete(one).status_code == 204
    shown = friend.get(f"{URL}/messages").get_json()["messages"][0]
    assert (shown["message"], shown["deleted"]) == ("", True)
    assert member.patch(one, json={"message": "Hai"}).status_code == 409
    assert member.delete(f"{URL}/messages/{2**80}").status_code == 404


def test_a_message_of_another_ukm_cannot_be_changed_or_marked_read(client_as: ClientAs) -> None:
    mine = post(client_as("member")).get_json()["id"]
    outsider = client_as("outsider")
    there = f"/ukm/PRAMUKA/messages/{mine}"
    assert outsider.delete(there).status_code == 404
    assert outsider.patch(there, json={"message": "x"}).status_code == 404
    assert outsider.post("/ukm/PRAMUKA/read", json={"last_id": mine}).status_code == 422


def test_messages_of_another_ukm_get_no_replies_and_reactions(client_as: ClientAs) -> None:
    mine = post(client_as("member")).get_json()["id"]
    outsider = client_as("outsider")
    there = "/ukm/PRAMUKA/messages"
    answer = outsider.post(there, json={"message": "x", "client_id": "c", "reply_to": mine})
    assert (answer.status_code, code(answer)) == (404, "no_such_message")
    assert outsider.put(f"{there}/{mine}/reactions/👍").status_code == 404
    assert outsider.delete(f"{there}/{mine}/reactions/👍").status_code == 404


def test_a_message_object_has_its_reply_mentions_and_reactions(
    app: Flask, client_as: ClientAs
) -> None:
    member, friend = client_as("member"), client_as("friend")
    first = post(member, "Latihan?").get_json()
    answer = post(friend, "Ya @Mega Lestari", reply_to=first["id"]).get_json()
    assert answer["reply_to"] == {
        "id": first["id"],
        "user_id": first["user_id"],
        "name": "Mega Lestari",
        "message": "Latihan?",
        "deleted": False,
        "files": 0,
    }
    assert answer["mentions"] == [first["user_id"]]
    like = f"{URL}/messages/{first['id']}/reactions/👍"
    liked = [{"emoji": "👍", "count": 1, "mine": True}]
    assert friend.put(like).get_json() == friend.put(like).get_json() == {"reactions": liked}
    seen = member.get(f"{URL}/messages").get_json()["messages"]
    assert [each["reactions"] for each in seen] == [[{**liked[0], "mine": False}], []]
    assert friend.delete(like).get_json() == friend.delete(like).get_json() == {"reactions": []}
    with app.app_context(), transaction() as session:  # a choice of an earlier version
        for emoji in ("🎉", "👏"):
            reaction = ChatReaction(message_id=first["id"], user_id=first["user_id"], emoji=emoji)
            session.add(reaction)
    shown = friend.put(like).get_json()["reactions"]
    assert [each["emoji"] for each in shown] == ["👍", "🎉", "👏"]
    bad = friend.put(f"{URL}/messages/{first['id']}/reactions/x")
    assert (bad.status_code, code(bad)) == (422, "bad_emoji")


def test_notification_levels_and_name_suggestions(client_as: ClientAs) -> None:
    member = client_as("member")
    assert member.put(f"{URL}/notices", json={"notices": "mentions"}).status_code == 204
    assert member.put(f"{URL}/notices", json={"notices": "loud"}).status_code == 422
    found = member.get(f"{URL}/names?q=far").get_json()["members"]
    assert [each["name"] for each in found] == ["Farhan Hakim"]


def test_a_flood_of_reactions_is_429(client_as: ClientAs) -> None:
    member = client_as("member")
    like = f"{URL}/messages/{post(member).get_json()['id']}/reactions/👍"
    answers = {member.put(like).status_code for _ in range(70)}
    assert answers == {200, 429}


def test_typing_read_markers_and_online_members(client_as: ClientAs) -> None:
    member = client_as("member")
    mine = post(member).get_json()["id"]
    assert member.post(f"{URL}/typing").status_code == 204
    assert member.post("/presence").status_code == 204
    assert member.post(f"{URL}/read", json={"last_id": mine}).status_code == 204
    assert member.post(f"{URL}/read", json={"last_id": mine + 1}).status_code == 422
    state = member.get(f"{URL}/online").get_json()
    assert (state["online_count"], state["total_members"]) == (0, 2)


def test_the_chat_page_makes_a_fixed_number_of_queries(app: Flask, client_as: ClientAs) -> None:
    member, friend = client_as("member"), client_as("friend")
    post(friend)
    few = count_queries(app, lambda: member.get(f"{URL}/chat"))
    for n in range(9):
        said = post(friend, str(n), f"f{n}").get_json()["id"]
        post(member, f"<script>{n} @Farhan", f"m{n}", reply_to=said)
        friend.put(f"{URL}/messages/{said}/reactions/👍")
    many = count_queries(app, lambda: member.get(f"{URL}/chat"))
    assert few == many <= 10


def count_queries(app: Flask, visit: Callable[[], Any]) -> int:
    """Return how many queries `visit` makes; its response must be a 200."""
    with recorded_statements(app) as queries:
        answer = visit()
    assert answer.status_code == 200
    return len(queries)


def test_markup_in_a_message_is_escaped(client_as: ClientAs) -> None:
    member = client_as("member")
    post(member, "</script><img src=x onerror=alert(1)>")
    answer = member.get(f"{URL}/chat")
    assert answer.status_code == 200
    assert "&lt;img src=x" in answer.text
    assert "<img src=x" not in answer.text
