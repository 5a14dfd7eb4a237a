"""gunicorn's settings; `gunicorn wsgi:app` from the project's root picks them up."""

import os
import resource
import selectors
import sys
import warnings
from contextlib import contextmanager

import gevent
from gevent import monkey
from gunicorn.glogging import Logger
from gunicorn.workers.ggevent import GeventWorker

from config import ConfigError, load  # gunicorn has a setting called config

# Before the program is imported, because the workers are forks of the process that imports it. The
# modules with which gunicorn's master waits stay unpatched here; each worker patches them.
monkey.patch_all(os=False, signal=False, select=False, subprocess=False)
warnings.filterwarnings("ignore", "Patching more than once")

from myukm import garbage  # noqa: E402
from myukm.logs import setup, shipper  # noqa: E402


def read_settings():
    """Return the settings; if one of them is wrong, print the error and exit with status 2."""
    try:
        return load()
    except ConfigError as error:
        print(f"myukm: {error}", file=sys.stderr)  # noqa: T201 (the start ends here)
        sys.exit(2)


class OurLogger(Logger):
    """Writes gunicorn's log lines in our form, and sends them to the stream in Valkey."""

    def setup(self, cfg):
        super().setup(cfg)
        setup.start(settings, "web", forks=True, waits=True)


class FastStoppingWorker(GeventWorker):
    """gunicorn's gevent worker, but idle connections do not delay its end: without running requests
    it ends within two seconds of SIGTERM.

    gunicorn's own class waits for idle keep-alive connections until the graceful time-out. Here
    each idle connection has `GRACE_SECONDS` for one more request (answered with
    `Connection: close`), and is closed then.
    """

    GRACE_SECONDS = 1.0

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._idle = set()

    @contextmanager
    def timeout_ctx(self):
        """Limit the wait for a connection's next request."""
        seconds = self.cfg.keepalive if self.alive else self.GRACE_SECONDS
        with gevent.Timeout(seconds, False) as timeout:
            wait = (gevent.getcurrent(), timeout)
            self._idle.add(wait)
            try:
                yield
            finally:
                self._idle.discard(wait)

    def handle_exit(self, sig, frame):
        super().handle_exit(sig, frame)
        # A greenlet, because a signal handler runs inside the event loop, which must not block.
        gevent.spawn(self._close_connections)

    def _close_connections(self):
        if self.wsgi:
            self.wsgi.extensions["live_hub"].close()
        gevent.sleep(self.GRACE_SECONDS)
        for connection, timeout in tuple(self._idle):
            connection.kill(timeout, block=False)


# psycopg chooses its wait function when it is imported, before a worker has patched `select`. With
# its default, each wait for PostgreSQL would block the whole process (see `post_worker_init`, too).
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_poll"

# Read before a worker starts, because gunicorn would restart workers that fail for ever.
settings = read_settings()

bind = settings["MYUKM_BIND"]
worker_class = FastStoppingWorker
logger_class = OurLogger
workers = settings["WEB_CONCURRENCY"]
worker_connections = 5000
keepalive = 75
graceful_timeout = 10
timeout = 60
control_socket_disable = True
preload_app = True


# Raise the soft limit, usually 1024, to the hard limit, because each stream is an open file.
_, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
if hard_limit != resource.RLIM_INFINITY:
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


def when_ready(server):
    """Load what each worker needs, so that the workers share its memory."""
    with garbage.frozen():
        from gevent import select, selectors, signal, subprocess  # noqa: F401 (workers patch with them)
        from sqlalchemy.orm import configure_mappers

        from myukm.domain.installation import code_version
        from myukm.ops import periodic_tasks  # noqa: F401

        code_version()  # cached: a worker that starts after an upgrade sees the new files
        configure_mappers()


def post_worker_init(worker):
    """Start the periodic tasks, and watch the event loop and the database."""
    from myukm.loop_lag import loop_lag
    from myukm.ops import periodic_tasks

    if waiting := sys.modules.get("psycopg.waiting"):
        # gevent's selector, which the worker has patched in since psycopg was imported.
        waiting.DefaultSelector = selectors.DefaultSelector
    shipper.begin()
    worker.wsgi.config["WEB_PROCESSES"] = worker.cfg.workers
    periodic_tasks.start(worker.wsgi)
    loop_lag.start()
    if check := worker.wsgi.extensions.get("database_liveness"):
        check.start()
