"""The client for calls that take Valkey longer than a request may wait."""

import redis
from flask import current_app

from myukm.valkey_clients import background_client


def patient_client() -> redis.Redis:
    """Return a client that waits for a busy Valkey; the client of requests gives up too early."""
    client: redis.Redis | None = current_app.extensions.get("failures_valkey")
    if client is None:
        client = background_client(current_app.config["REDIS_URL"])
        current_app.extensions["failures_valkey"] = client
    return client
