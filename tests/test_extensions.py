"""The shared Valkey connection: what it says while it rests."""

import pytest
import redis
from flask import Flask

from myukm.extensions import valkey
from tests.support.without_valkey import lose_valkey


def test_who_asks_again_hears_why_nobody_answered_the_first_time(app: Flask) -> None:
    lose_valkey(app)
    said = []
    with app.app_context():
        for _ in range(3):
            with pytest.raises(redis.ConnectionError) as refused:
                valkey().ping()
            said.append(str(refused.value))
    assert said == [said[0]] * 3
    assert "127.0.0.1:1" in said[0]
    assert "refused" in said[0]
