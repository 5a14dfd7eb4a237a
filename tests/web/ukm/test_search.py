"""The search of messages, as JSON and as a page."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.files import PDF, upload
from tests.support.people import UKM

ClientAs = Callable[[str], FlaskClient]
pytestmark = pytest.mark.usefixtures("no_flood_guard")
HERE, EVERYWHERE = f"/ukm/{UKM}/search", "/ukm/search"
PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def member(client_as: ClientAs) -> FlaskClient:
    client = client_as("member")
    for n, text in enumerate(["Rapat <b>besok</b>", *(f"kata {n}" for n in range(45))]):
        sent = {"message": text, "client_id": f"c{n}"}
        assert client.post(f"/ukm/{UKM}/messages", json=sent).status_code == 201
    return client


@pytest.mark.parametrize("path", [HERE, EVERYWHERE])
def test_next_continues_a_search_in_pages_of_20(member: FlaskClient, path: str) -> None:
    texts: list[str] = []
    before = None
    for size in (20, 20, 5):
        query = {"q": "kata", **({"before": before} if before else {})}
        answer = member.get(path, query_string=query)
        assert answer.status_code == 200
        assert len(answer.json["messages"]) == size
        texts += [message["message"] for message in answer.json["messages"]]
        before = answer.json["next"]
    assert before is None
    assert texts == [f"kata {n}" for n in reversed(range(45))]


def test_a_result_is_the_message_object_with_a_snippet(member: FlaskClient) -> None:
    (found,) = member.get(HERE, query_string={"q": "besok"}).json["messages"]
    stored = member.get(f"/ukm/{UKM}/messages?limit=100").json["messages"][0]
    assert found == stored | {"snippet": "Rapat &lt;b&gt;<mark>besok</mark>&lt;/b&gt;"}


@pytest.mark.parametrize("path", [HERE, EVERYWHERE])
@pytest.mark.parametrize(
    ("q", "code"),
    [
        ("", "nothing_to_look_for"),
        ("!?", "nothing_to_look_for"),
        ("x" * 10_000, "search_too_long"),
        ("sejak:x", "bad_filter"),
    ],
)
def test_an_invalid_search_is_422_with_a_message(
    client_as: ClientAs, path: str, q: str, code: str
) -> None:
    member = client_as("member")
    answer = member.get(path, query_string={"q": q})
    assert (answer.status_code, answer.json["error"]["code"]) == (422, code)
    page = member.get(path, query_string={"q": q}, headers=PAGE)
    assert page.status_code == (422 if q else 200)
    assert "<main" in page.text


def test_ada_berkas_finds_messages_with_files(client_as: ClientAs) -> None:
    member = client_as("member")
    sent = [upload(member, PDF, "a.pdf", client_id=f"f{n}").json["id"] for n in range(2)]
    posts = [("proposal", [sent[0]]), ("", [sent[1]]), ("proposal saja", [])]
    ids = [
        member.post(
            f"/ukm/{UKM}/messages", json={"message": text, "client_id": f"m{n}", "files": files}
        ).json["id"]
        for n, (text, files) in enumerate(posts)
    ]
    assert found(member, "ada:berkas") == [ids[1], ids[0]]
    assert found(member, "proposal ada:berkas") == [ids[0]]
    assert "Foto atau berkas" in member.get(f"{HERE}?q=ada:berkas", headers=PAGE).text
    member.patch(f"/ukm/{UKM}/messages/{ids[0]}", json={"message": "laporan"})
    assert found(member, "laporan ada:berkas") == [ids[0]]
    member.delete(f"/ukm/{UKM}/messages/{ids[0]}")
    assert found(member, "ada:berkas") == [ids[1]]


def found(client: FlaskClient, q: str) -> list[int]:
    return [one["id"] for one in client.get(HERE, query_string={"q": q}).json["messages"]]


def test_without_a_log_in_json_is_401_and_the_page_redirects(client_as: ClientAs) -> None:
    nobody = client_as("nobody")
    for path in (HERE, EVERYWHERE):
        assert nobody.get(f"{path}?q=kata").status_code == 401
        answer = nobody.get(f"{path}?q=kata", headers=PAGE)
        assert (answer.status_code, answer.location) == (302, f"/login?next={path}?q%3Dkata")


def test_the_page_escapes_results_and_links_to_messages(member: FlaskClient, app: Flask) -> None:
    page = member.get(HERE, query_string={"q": "besok"}, headers=PAGE).text
    assert "Rapat &lt;b&gt;<mark>besok</mark>&lt;/b&gt;" in page
    key = member.get(HERE, query_string={"q": "besok"}).json["messages"][0]["id"]
    assert f"/ukm/{UKM}/chat?around={key}#pesan-{key}" in page


def test_the_chat_opens_around_a_message(member: FlaskClient) -> None:
    chat = f"/ukm/{UKM}/chat"
    first = member.get(HERE, query_string={"q": "besok"}).json["messages"][0]["id"]
    for n in range(30):
        sent = {"message": f"lagi {n}", "client_id": f"d{n}"}
        member.post(f"/ukm/{UKM}/messages", json=sent)
    page = member.get(f"{chat}?around={first}").text
    assert page.count('data-state="sent"') == 26
    assert "data-newer-left" in page
    end = member.get(f"{chat}?around={first + 74}").text
    assert end.count('data-state="sent"') == 50
    assert "data-newer-left" not in end
    assert member.get(f"{chat}?around=x", headers=PAGE).status_code == 422
