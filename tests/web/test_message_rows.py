"""What a page needs to show messages, beyond what the API says of them."""

from datetime import UTC, datetime

import time_machine
from flask import Flask

from myukm.web.message_rows import rows


@time_machine.travel(datetime(2026, 12, 2, 5, tzinfo=UTC), tick=False)
def test_the_day_above_a_message_of_another_year_has_its_year(app: Flask) -> None:
    moments = ("2025-11-25T05:00:00+00:00", "2026-11-25T05:00:00+00:00")
    messages = [
        {"id": n, "user_id": 1, "created_at": at, "reply_to": None, "mentions": []}
        for n, at in enumerate(moments)
    ]
    with app.test_request_context():
        days = [row["day"] for row in rows(messages, 1, None)]
    assert days == ["Selasa, 25 November 2025", "Rabu, 25 November"]
