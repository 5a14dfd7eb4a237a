"""WSGI entry point: `gunicorn wsgi:app`."""

import os
import sys

from config import ConfigError
from myukm import create_app

try:
    # Flask sets it for its commands, which load the app from here, too.
    app = create_app(commands="FLASK_RUN_FROM_CLI" in os.environ)
except ConfigError as error:
    print(f"myukm: {error}", file=sys.stderr)  # noqa: T201 (the start ends here)
    sys.exit(2)
