"""The list of members of a large UKM, whose events name only some of its members."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from myukm.db.session import transaction
from myukm.domain.presence import tracker
from myukm.models import Membership
from tests.browser.conftest import PHONE
from tests.domain.presence.test_presence import enlarge
from tests.support.people import UKM

OpenAs = Callable[..., Page]


@pytest.fixture
def crowd(app: Flask) -> Iterator[list[int]]:
    """150 more members of ROBOTIK. The last one is an admin, whom lists omit while offline."""
    with app.app_context():
        ids = enlarge(150)
        with transaction() as session:
            session.query(Membership).filter_by(user_id=ids[-1]).one().is_admin = True
        yield ids


def test_an_admin_who_comes_online_has_the_badge_when_the_list_is_opened(
    open_as: OpenAs, crowd: list[int]
) -> None:
    page = open_as("member", f"/ukm/{UKM}/chat", PHONE)
    page.wait_for_selector('[data-stream="open"]')
    admin = page.locator("#member-list .member", has_text="Warga 149")
    expect(admin).to_have_count(0)
    tracker.connect([(crowd[-1], "page")])
    tracker.broadcast(crowd[-1])
    expect(admin).to_have_count(1)
    page.get_by_role("button", name="Lihat anggota").click()
    expect(admin.get_by_text("pengurus")).to_be_visible()
