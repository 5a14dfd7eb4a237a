"""gunicorn's settings; `gunicorn wsgi:app` from the project's root picks them up."""

import os
import signal
import sys

from config import ConfigError, file_settings, load  # gunicorn has a setting called config


def read(settings):
    """Return the settings, or end with the one line about a wrong one."""
    try:
        return settings()
    except ConfigError as error:
        print(f"myukm: {error}", file=sys.stderr)  # noqa: T201 (the start ends here)
        sys.exit(2)


environ = read(file_settings) | os.environ

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
    read(load)


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
