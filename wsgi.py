"""WSGI entry point: `gunicorn wsgi:app`."""

import sys

from config import ConfigError
from myukm import create_app

try:
    app = create_app()
except ConfigError as error:
    print(f"myukm: {error}", file=sys.stderr)  # noqa: T201 (the start ends here)
    sys.exit(2)
