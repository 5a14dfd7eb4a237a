"""The Flask extensions and the Valkey connection that the whole program shares."""

from typing import cast

import redis
from flask import Flask, current_app
from flask_babel import Babel
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy

from myukm.valkey_clients import request_client

db = SQLAlchemy(session_options={"expire_on_commit": False})
login_manager = LoginManager()
babel = Babel()


def connect_valkey(app: Flask) -> None:
    """Prepare `valkey()` for `app`; nothing is sent yet."""
    app.extensions["valkey"] = request_client(app.config["REDIS_URL"])


def valkey() -> redis.Redis:
    """Return the app's Valkey client (bytes in and out, short time-outs, thread-safe)."""
    return cast(redis.Redis, current_app.extensions["valkey"])
