"""`python -m demo`: the whole program on one machine, for trying it out."""

import sys

from config import INSTANCE
from demo.environment import Addresses
from demo.lock import AlreadyRunningError, demo_lock, publish_env
from demo.supervisor import Supervisor
from devtools.messages import localized
from devtools.ports import NoFreePortError
from devtools.reaper import adopt_orphans
from devtools.valkey import ValkeyError, lock_data
from myukm.private import keep_private

DATA = INSTANCE / "valkey"


def main() -> None:
    """Run the demo until Ctrl-C or SIGTERM; exit with one line when it cannot start."""
    keep_private(INSTANCE)
    try:
        DATA.mkdir(parents=True, exist_ok=True)
        sys.exit(_demo())
    except AlreadyRunningError as error:
        sys.exit(
            localized(
                f"Demo di folder ini sudah berjalan ({error}); hentikan dulu yang itu.",
                f"A demo is already running in this folder ({error}); stop that one first.",
            )
        )
    except NoFreePortError as error:
        sys.exit(
            localized(
                f"Tidak ada port bebas di {error}; hentikan program yang memakainya.",
                f"No port is free in {error}; stop a program that uses one.",
            )
        )
    except (OSError, ValkeyError) as error:
        sys.exit(localized(f"Demo tidak dapat dimulai: {error}", f"The demo cannot start: {error}"))


def _demo() -> int:
    adopt_orphans()
    with demo_lock(INSTANCE) as note, lock_data(DATA) as data_lock:
        addresses = Addresses.choose()
        with publish_env(INSTANCE, addresses.settings()):
            supervisor = Supervisor(addresses, DATA, data_lock)
            return supervisor.run(lambda url: print(url, file=note, flush=True))


if __name__ == "__main__":
    main()
