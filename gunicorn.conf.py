"""gunicorn's settings; `gunicorn wsgi:app` from the project's root picks them up."""

import os
import signal
from pathlib import Path

from dotenv import dotenv_values

environ = dotenv_values(Path(__file__).with_name(".env")) | os.environ

bind = environ.get("MYUKM_BIND") or "127.0.0.1:5000"
worker_class = "gevent"
workers = int(environ.get("WEB_CONCURRENCY") or "2")
worker_connections = 5000
keepalive = 75
graceful_timeout = 10
timeout = 60
control_socket_disable = True


def on_starting(server):
    """Check the settings before any worker starts; otherwise gunicorn restarts failing workers."""
    import sys

    import config

    try:
        config.load()
    except config.ConfigError as error:
        print(f"myukm: {error}", file=sys.stderr)  # noqa: T201 (the start ends here)
        sys.exit(2)


def post_worker_init(worker):
    """Start the periodic tasks, and end open streams with `bye` on SIGTERM."""
    import gevent

    from myukm.logs import security_log
    from myukm.ops import periodic

    security_log.print_lines()
    worker.wsgi.config["WEB_PROCESSES"] = worker.cfg.workers
    periodic.start(worker.wsgi)
    stop = signal.getsignal(signal.SIGTERM)

    def say_bye(*args):
        # A signal handler runs inside the event loop, which must not block on a lock or a thread.
        gevent.spawn(worker.wsgi.extensions["live_hub"].close)
        stop(*args)

    signal.signal(signal.SIGTERM, say_bye)
