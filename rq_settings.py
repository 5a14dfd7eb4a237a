"""Settings for plain `rq`, which reads no `.env`: `rq worker -c rq_settings sync-pembayaran`.

It reads the upper-case names of this module: the address of Valkey, or of its sentinels.
"""

import sys

import config
from myukm.valkey_clients import rq_settings

try:
    globals().update(rq_settings(config.load()["REDIS_URL"]))
except config.ConfigError as error:
    print(f"myukm: {error}", file=sys.stderr)  # noqa: T201 (the start ends here)
    sys.exit(2)
