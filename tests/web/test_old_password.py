"""An old password is refused as soon as a new one is stored, also by requests in progress."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from myukm.domain.accounts import accounts, password_reset, self_service
from myukm.domain.accounts.passwords import verify
from myukm.domain.actor import Actor
from tests.conftest import every_database
from tests.support.people import NAMES, PASSWORD

ClientAs = Callable[[str], FlaskClient]
NIM = NAMES["member"][0]
NEW = "milik-pemiliknya"


@pytest.fixture
def meanwhile(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., None]:
    """`meanwhile(module)`: while the module checks a password, its owner stores a new one."""

    def arrange(module: object) -> None:
        def slow(stored: str | None, password: str) -> bool:
            known = verify(stored, password)
            with app.app_context():
                accounts.set_password(NIM, NEW, by=Actor("test"))
            return known

        monkeypatch.setattr(module, "verify", slow)

    return arrange


def log_in(client: FlaskClient, password: str) -> int:
    return client.post("/login", json={"nim": NIM, "password": password}).status_code


@every_database
def test_a_log_in_is_refused_if_the_password_changes_meanwhile(
    client_as: ClientAs, meanwhile: Callable[..., None]
) -> None:
    stranger = client_as("nobody")
    meanwhile(accounts)
    assert log_in(stranger, PASSWORD) == 401
    assert stranger.get("/profile").status_code == 302


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/profile/password", {"old": PASSWORD, "new": "milik-orang-lain"}),
        ("/profile/delete", {"password": PASSWORD}),
    ],
)
def test_an_account_stays_as_it_is_if_its_password_changes_meanwhile(
    client_as: ClientAs, meanwhile: Callable[..., None], path: str, sent: dict[str, str]
) -> None:
    thief = client_as("member")
    meanwhile(self_service)
    answer = thief.post(path, json=sent)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "wrong_password")
    assert log_in(client_as("nobody"), NEW) == 200


def test_a_password_reset_makes_the_browser_known(
    app: Flask, client_as: ClientAs, people: dict[str, int]
) -> None:
    with app.app_context():
        code = password_reset.issue(accounts.find(NIM), by=Actor("test")).code
    owner = client_as("nobody")
    sent = {"nim": NIM, "code": code, "password": NEW}
    assert owner.post("/reset-password", json=sent).status_code == 200
    assert [log_in(client_as("nobody"), "salah") for _ in range(11)][10] == 429
    assert log_in(owner, NEW) == 200, "strangers' guesses do not limit this browser"
