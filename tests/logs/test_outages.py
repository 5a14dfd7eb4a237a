"""An outage is logged when it begins and when it ends, not once for each failure."""

import logging

import pytest

from myukm.logs.outages import Outage

logger = logging.getLogger("myukm.tests")


def test_an_outage_is_logged_at_its_start_and_its_end(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage(logger, "live: could not publish")
    outage.worked()
    for _ in range(500):
        outage.failed("Connection refused")
    outage.worked()
    outage.worked()
    logged = [record.getMessage() for record in caplog.records]
    assert logged[0] == "live: could not publish: Connection refused"
    assert logged[1].startswith("live: could not publish: works again after ")
    assert logged[1].endswith(" s (500 failures)")
    assert len(logged) == 2


def test_an_unexpected_error_is_logged_with_its_trace_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outage = Outage(logger, "live hub")
    for _ in range(5):
        with outage.survived():
            raise KeyError("topic")
    assert [bool(record.exc_info) for record in caplog.records] == [True]
    assert caplog.records[0].getMessage() == "live hub: KeyError('topic')"


def test_an_outage_that_lasts_is_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage(logger, "database", again_seconds=0.0)
    outage.failed("gone")
    outage.failed("gone")
    logged = [record.getMessage() for record in caplog.records]
    assert logged == ["database: gone", "database: gone (2 failures so far)"]
