"""Settings for plain `rq`, which reads no `.env`: `rq worker -c rq_settings sync-pembayaran`.

`rq` reads the upper-case names of this module: the address of Valkey, or of its sentinels. A worker
started in this way logs in our form. Its warnings are collected with the lines of the other
processes; its lines about each job are not, because they would push out the others.
"""

import logging
import sys

import config
from myukm.logs import setup
from myukm.valkey_clients import rq_settings

try:
    settings = config.load()
    globals().update(rq_settings(settings["REDIS_URL"]))
except config.ConfigError as error:
    print(f"myukm: {error}", file=sys.stderr)  # noqa: T201 (the start ends here)
    sys.exit(2)
if sys.argv[1:2] in (["worker"], ["worker-pool"]):
    setup.start(settings, "rq", forks=True, collected=logging.WARNING)
