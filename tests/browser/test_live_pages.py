"""Every live page says when its stream is lost and how old its figures are, and reconnects."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from myukm.db.session import transaction
from myukm.domain.accounts import administration
from myukm.domain.actor import Actor
from myukm.extensions import db
from myukm.models import Siswa, User
from tests.browser.conftest import OtherMembers, check_current_look, each_appearance
from tests.support.programs import WebServer
from tests.support.without_valkey import NOBODY_LISTENS

OpenAs = Callable[..., Page]
OLD = re.compile(r"Tidak terhubung sejak \d+ detik; angka terakhir \d\d\.\d\d\.\d\d\.")
STAFF_PAGES = ["/admin/sync-pembayaran", "/admin/antrian", "/admin/siswa/S1", "/admin/siswa"]


@contextmanager
def half_open(web: WebServer) -> Iterator[None]:
    """Stop the web server: connections stay open without data, as behind a hung proxy."""
    master = psutil.Process(web.child.pid)
    processes = [master, *master.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


@pytest.fixture
def student(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="S1", nama="Aisyah"))


def open_pages(open_as: OpenAs, who: str, *paths: str) -> list[Page]:
    """Open pages whose clock the test can put forward."""
    first = open_as(who, "/profile")
    first.context.clock.install()
    first.close()
    pages = [open_as(who, path) for path in paths]
    for page in pages:
        page.wait_for_selector('[data-stream="open"]')
    return pages


@pytest.mark.usefixtures("student")
def test_a_half_open_connection_is_noticed_on_every_live_page(
    open_as: OpenAs, web: WebServer
) -> None:
    staff = open_pages(open_as, "admin", *STAFF_PAGES)
    member = open_pages(open_as, "member", "/ukm", "/ukm/ROBOTIK/chat")
    for page in (*staff, *member):
        expect(page.locator("#live-line")).to_be_hidden()
    with half_open(web):
        for page in (staff[0], member[0]):
            page.clock.fast_forward(31_000)
        for page in (*staff, member[0]):
            expect(page.locator("#live-line")).to_have_text(OLD)
        expect(member[1].locator("#live-line")).to_contain_text("Pesan Anda terkirim begitu")
        expect(staff[0].locator(".stats dd").first).to_have_css("filter", "grayscale(1)")
        expect(staff[1].locator("table").first).to_have_css("filter", "grayscale(1)")
        for page in (staff[0], member[1]):
            for _appearance in each_appearance(page):
                check_current_look(page)
    for page in (*staff, *member):
        expect(page.locator("html")).to_have_attribute("data-stream", "open", timeout=60_000)
        expect(page.locator("#live-line")).to_be_hidden()
    expect(staff[0].locator(".stats dd").first).to_have_css("filter", "none")


def test_a_page_is_reloaded_when_the_role_of_its_user_changes(
    open_as: OpenAs, app: Flask, people: dict[str, int], console_errors: list[str]
) -> None:
    page = open_as("operator", "/admin/antrian")
    page.wait_for_selector('[data-stream="open"]')
    with app.app_context():
        admin = db.session.get_one(User, people["admin"])
        administration.set_role(Actor.of(admin), people["operator"], "anggota")
    expect(page.locator("h1")).to_have_text("Peran Anda tidak boleh membuka ini.")
    console_errors[:] = [line for line in console_errors if " 403 " not in line]


class TestWithoutValkey:
    """The stream continues with events from the database."""

    @pytest.fixture
    def settings(self, settings: dict[str, str]) -> dict[str, str]:
        return settings | {"REDIS_URL": NOBODY_LISTENS}

    def test_the_page_says_that_updates_are_slower_and_shows_new_messages(
        self, open_as: OpenAs, other_members: OtherMembers
    ) -> None:
        page = open_as("member", "/ukm/ROBOTIK/chat")
        expect(page.locator("#live-line")).to_contain_text("Pembaruan lebih lambat")
        other_members.say("lewat basis data")
        expect(page.locator(".message-text")).to_have_text("lewat basis data")
