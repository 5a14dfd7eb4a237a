"""What `python -m demo` does: takes the folder's locks, chooses ports, runs the supervisor."""

import sys

from demo.environment import Addresses
from demo.lock import AlreadyRunningError, demo_lock, publish_env
from demo.supervisor import Supervisor
from devtools.messages import localized
from devtools.ports import NoFreePortError
from devtools.reaper import adopt_orphans
from myukm import terminal
from myukm.catalogue import N_
from myukm.embedded_valkey import ValkeyError, lock_data
from myukm.private_files import keep_private
from myukm.settings.sources import INSTANCE

DATA = INSTANCE / "valkey"


def main() -> None:
    """Run the demo until Ctrl-C or SIGTERM; exit with one line when it fails."""
    terminal.accept_any_text()
    keep_private(INSTANCE)
    try:
        DATA.mkdir(parents=True, exist_ok=True)
        sys.exit(_demo())
    except AlreadyRunningError as error:
        text = N_("Demo di folder ini sudah berjalan (%(where)s); hentikan dulu yang itu.")
        sys.exit(localized(text, where=error))
    except NoFreePortError as error:
        text = N_("Tidak ada port bebas di %(ports)s; hentikan program yang memakainya.")
        sys.exit(localized(text, ports=error))
    except (OSError, ValkeyError) as error:
        sys.exit(localized(N_("Demo gagal: %(why)s"), why=error))


def _demo() -> int:
    adopt_orphans()
    with demo_lock(INSTANCE) as lock_file, lock_data(DATA) as data_lock:
        addresses = Addresses.choose()
        with publish_env(INSTANCE, addresses.settings()):
            supervisor = Supervisor(addresses, DATA, data_lock)
            return supervisor.run(lambda url: print(url, file=lock_file, flush=True))
