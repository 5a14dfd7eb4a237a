"""The app inside its context, on a day that the test sets."""

from collections.abc import Iterator
from datetime import UTC

import pytest
from flask import Flask

from myukm.db import clock
from tests.support.days import Calendar


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    made = Calendar()
    monkeypatch.setattr(clock, "now", lambda: made.now.astimezone(UTC))
    return made


@pytest.fixture
def inside(app: Flask, calendar: Calendar) -> Iterator[Flask]:
    with app.app_context():
        yield app
