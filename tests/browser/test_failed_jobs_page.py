"""The pages of failed jobs in a browser: which jobs a button and its dialog say that they mean."""

from collections.abc import Callable

import pytest
import redis
from flask import Flask
from playwright.sync_api import Page, expect

from myukm.queues.failures import index
from tests.queues.test_failures import fail

OpenAs = Callable[..., Page]
PAGE = "/admin/antrian/gagal"
GROUP = "KeyError: # di antrian default · ping"


@pytest.fixture
def failed(app: Flask, valkey: redis.Redis) -> str:
    """Three failed jobs of one kind and one of another, whose id is returned."""
    fail(valkey, "KeyError: 1", 3)
    [job_id] = fail(valkey, "ValueError: no")
    with app.app_context():
        index.refresh_all("default")
    return job_id


def test_the_dialog_says_how_many_jobs_of_which_group_are_meant(
    open_as: OpenAs, failed: str
) -> None:
    page = open_as("admin", PAGE)
    page.wait_for_selector("html[data-stream=open]")
    for button, count, about in (
        (f"Buang {GROUP}", 3, GROUP),
        ("Buang semua di antrian default", 4, "semua di antrian default"),
    ):
        page.get_by_role("button", name=button, exact=True).click()
        dialog = page.get_by_role("dialog", name="Buang semua pekerjaan gagal ini?")
        expect(dialog).to_contain_text(f"{count} pekerjaan gagal ({about}) dibuang")
        dialog.get_by_role("button", name="Batal").click()
    page.get_by_role("button", name=f"Ulangi {GROUP}", exact=True).click()
    dialog = page.get_by_role("dialog", name="Ulangi semua pekerjaan ini?")
    expect(dialog).to_contain_text(f"3 pekerjaan ({GROUP}) masuk lagi")
    dialog.get_by_role("button", name="Batal").click()
    page.get_by_role("link", name="KeyError").click()
    expect(page.get_by_role("button", name=f"Buang {GROUP}", exact=True)).to_be_visible()


def test_the_dialog_of_one_job_speaks_of_one(open_as: OpenAs, failed: str) -> None:
    page = open_as("admin", f"/admin/antrian/pekerjaan/{failed}")
    page.wait_for_selector("html[data-stream=open]")
    page.get_by_role("button", name="Buang", exact=True).click()
    dialog = page.get_by_role("dialog", name="Buang pekerjaan gagal ini?")
    expect(dialog).to_contain_text("tidak bisa dikembalikan")
    dialog.get_by_role("button", name="Buang").click()
    expect(page.locator(".notice, .toast").first).to_contain_text("Dihapus.")
