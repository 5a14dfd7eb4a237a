"""WSGI entry point: `gunicorn wsgi:app`."""

import logging
import os
import sys

from config import ConfigError
from myukm import create_app, garbage
from myukm.logs import setup

# `flask` sets this variable. Its commands load the app from this module, too.
is_command = "FLASK_RUN_FROM_CLI" in os.environ
try:
    with garbage.frozen():
        app = create_app(commands=is_command)
except ConfigError as error:
    print(f"myukm: {error}", file=sys.stderr)  # noqa: T201 (the start ends here)
    sys.exit(2)
if is_command and "run" not in sys.argv:  # `flask run` prints a log line for each request
    setup.start(app.config, "flask", printed=False)
    # `db upgrade` reports its errors as log lines, which the line above would only send to Valkey.
    logging.getLogger("flask_migrate").addHandler(logging.StreamHandler())
