"""The queues' page in a browser: a worker that dies shows there without a reload."""

from collections.abc import Callable

from flask import Flask
from playwright.sync_api import Page, expect

from tests.support.programs import Program
from tests.support.workers import WORKER, wait_serving


def test_a_dead_worker_shows_by_itself(
    app: Flask, start: Callable[..., Program], open_as: Callable[..., Page]
) -> None:
    worker = start(*WORKER)
    wait_serving(app)
    page = open_as("operator", "/admin/antrian")
    expect(page.locator("#workers")).to_contain_text("sync-pembayaran.")
    worker.kill()
    expect(page.locator("#findings")).to_contain_text(
        "Tidak ada worker yang mendengarkan antrian high"
    )
    expect(page.locator("#findings")).to_contain_text("./run worker")
