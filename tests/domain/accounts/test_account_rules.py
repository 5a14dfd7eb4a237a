"""Which passwords an account may have."""

import pytest
from flask import Flask
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from devtools.sample import ACCOUNTS
from myukm.db.session import transaction
from myukm.domain.accounts.account_rules import check_password
from myukm.domain.accounts.passwords import hash_password
from myukm.errors import Invalid
from myukm.extensions import db
from myukm.models import User
from tests.support.people import NAMES


def refused(password: str, nim: str = "2024001", name: str = "Mega Lestari") -> bool:
    try:
        check_password(password, nim, name)
    except Invalid as error:
        return error.code == "bad_password"
    return False


def test_the_10_000_most_common_passwords_are_refused() -> None:
    common = FREQUENCY_LISTS["passwords"][:10_000]
    assert len(common) == 10_000
    assert [word for word in common if not refused(word)] == []
    assert refused("QwertyUiop")


@pytest.mark.parametrize(
    ("password", "nim", "name"),
    [
        ("sembilan9", "1", "A"),
        ("x" * 201, "1", "A"),
        ("2024-0010-01", "2024001001", "A"),
        ("mega lestari", "1", "Mega Lestari"),
        ("Mega.Lestari", "1", "Mega Lestari"),
    ],
)
def test_short_long_and_personal_passwords_are_refused(password: str, nim: str, name: str) -> None:
    assert refused(password, nim, name)


def test_ten_uncommon_characters_are_accepted() -> None:
    assert not refused("kopi-susu7")
    assert not refused("二十個漢字でも良い言葉です")
    for account in ACCOUNTS:
        assert not refused(account.password, account.nim, account.name)


def test_a_short_password_of_an_older_version_still_logs_in(
    app: Flask, people: dict[str, int]
) -> None:
    with app.app_context(), transaction():
        db.session.get_one(User, people["member"]).password_hash = hash_password("delapan8")
    sent = {"nim": NAMES["member"][0], "password": "delapan8"}
    assert app.test_client().post("/login", json=sent).status_code == 200
