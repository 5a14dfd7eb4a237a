"""Which events an open stream receives after its reader was removed, muted or added."""

from collections.abc import Callable, Iterator

import pytest
import requests
from flask import Flask

from myukm.domain.actor import Actor
from myukm.domain.ukm import administration as ukm_administration
from tests.support.people import NAMES, UKM
from tests.support.programs import WebServer
from tests.support.sse import StreamReader
from tests.support.waiting import wait_until

SessionAs = Callable[[str], requests.Session]
Listen = Callable[[requests.Session], StreamReader]
Act = Callable[..., None]


@pytest.fixture
def listen(web: WebServer) -> Iterator[Listen]:
    opened: list[StreamReader] = []

    def open_stream(session: requests.Session) -> StreamReader:
        opened.append(StreamReader(web.url, session))
        return opened[-1]

    yield open_stream
    for stream in opened:
        stream.close()


@pytest.fixture
def admin(app: Flask, web: WebServer, people: dict[str, int], session_as: SessionAs) -> Act:
    """`admin("promote", "friend")` promotes `friend` in ROBOTIK; `member` does so, as its admin."""
    with app.app_context():
        ukm_administration.add(UKM, NAMES["member"][0], is_admin=True, by=Actor("test"))
    session = session_as("member")

    def act(action: str, person: str, **body: object) -> None:
        address = f"{web.url}/ukm/{UKM}/members/{people[person]}/{action}"
        assert session.post(address, json=body, timeout=5).ok

    return act


@pytest.mark.timing("changed rights arrive within 5 s")
def test_a_removed_member_receives_the_removal_and_no_later_event(
    app: Flask,
    web: WebServer,
    session_as: SessionAs,
    admin: Act,
    listen: Listen,
) -> None:
    friend, member = session_as("friend"), session_as("member")
    removed, staying = listen(friend), listen(member)
    admin("remove", "friend")
    [published, *_] = removed.wait_for(1, "membership", timeout=5)
    assert (published["change"], published["member"]) == ("removed", False)
    sent = {"message": "rahasia", "client_id": "1"}
    refused = friend.post(f"{web.url}/ukm/{UKM}/messages", json=sent, timeout=5)
    assert refused.status_code == 404
    refused = friend.get(f"{web.url}/stream?topics=ukm:{UKM}", timeout=5)
    assert refused.status_code == 403
    member.post(f"{web.url}/ukm/{UKM}/messages", json=sent, timeout=5)
    staying.wait_for(1, "chat.message")
    member.post(f"{web.url}/ukm/{UKM}/pin", json={"text": "rahasia"}, timeout=5)
    staying.wait_for(1, "ukm.changed")
    with app.app_context():
        ukm_administration.add(UKM, NAMES["friend"][0], by=Actor("test"))
    wait_until(lambda: removed.of("membership")[-1]["change"] == "added", 20, "a later event")
    assert removed.of("chat.message", "ukm.changed") == []


@pytest.mark.timing("changed rights arrive within 5 s")
def test_only_the_muted_member_receives_the_mute_and_how_long_it_lasts(
    session_as: SessionAs,
    admin: Act,
    listen: Listen,
) -> None:
    muted, other = listen(session_as("friend")), listen(session_as("member"))
    admin("mute", "friend", **{"for": "1h"})
    [published] = muted.wait_for(1, "membership", timeout=5)
    assert 3500 < published["muted_seconds"] <= 3600
    admin("promote", "friend")
    received = other.wait_for(1, "membership", timeout=5)
    assert [event["change"] for event in received] == ["promoted"]
    assert "muted_until" not in received[0]


@pytest.mark.timing("changed rights arrive within 5 s")
def test_an_added_member_receives_events_without_a_new_stream(
    app: Flask,
    web: WebServer,
    session_as: SessionAs,
    admin: Act,
    listen: Listen,
) -> None:
    stream = listen(session_as("outsider"))
    with app.app_context():
        ukm_administration.add(UKM, NAMES["outsider"][0], by=Actor("test"))
    assert stream.wait_for(1, "membership", timeout=5)[0]["member"] is True
    sent = {"message": "selamat datang", "client_id": "1"}
    session_as("friend").post(f"{web.url}/ukm/{UKM}/messages", json=sent, timeout=5)
    assert stream.wait_for(1, "chat.message")[0]["message"] == "selamat datang"
