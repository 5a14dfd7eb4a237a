"""A switch and hosts, each a network namespace; a host can be cut off silently."""

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from devtools.process_tree import ManagedProcess
from devtools.reaper import descendants
from tests.support import namespaces
from tests.support.waiting import wait_until

CLIENT = 1  # the test itself, at the switch


class Host:
    """One machine: a network and a name. What starts `with host.inside():` runs on it."""

    def __init__(self, name: str, number: int) -> None:
        self.name, self.number, self.address = name, number, address(number)
        command = f"hostname {name}; ip link set lo up; exec sleep infinity"
        self._child = ManagedProcess(["unshare", "--net", "--uts", "sh", "-c", command])
        self.pid = wait_until(self._sleeper, what=f"{name} is there")

    def _sleeper(self) -> int:
        """Return the id of the process that holds the namespaces; 0 until it runs."""
        for pid in descendants(self._child.pid):
            with open(f"/proc/{pid}/comm") as name:
                if name.read().strip() == "sleep":
                    return pid
        return 0

    def inside(self) -> AbstractContextManager[None]:
        """Move the calling thread to this host."""
        return namespaces.inside(f"/proc/{self.pid}")

    def remove(self) -> None:
        """End the host, once its programs have ended."""
        self._child.kill()


class Network:
    """Hosts at a switch. Hardware addresses are permanent, so packets to a silent host are lost and
    not answered by "unreachable"."""

    def __init__(self, *names: str) -> None:
        ip(
            "link set lo up",
            f"link add switch address {mac(CLIENT)} type bridge",
            f"addr add {address(CLIENT)}/24 dev switch",
            "link set switch up",
        )
        self.hosts = {name: Host(name, number) for number, name in enumerate(names, 10)}
        for host in self.hosts.values():
            self._connect(host)

    def _connect(self, host: Host) -> None:
        end = f"eth0 address {mac(host.number)} netns {host.pid}"
        ip(
            f"link add {host.name} type veth peer name {end}",
            f"link set {host.name} master switch up",
            neighbour(host.number, "switch"),
        )
        others = {CLIENT, *(other.number for other in self.hosts.values())} - {host.number}
        with host.inside():
            ip(f"addr add {host.address}/24 dev eth0", "link set eth0 up")
            ip(*(neighbour(number, "eth0") for number in others))

    @contextmanager
    def silent(self, name: str) -> Iterator[None]:
        """Take a host off the switch, so that packets to and from it are lost."""
        ip(f"link set {name} nomaster")
        try:
            yield
        finally:
            ip(f"link set {name} master switch")

    @contextmanager
    def partitioned(self, name: str, other: str) -> Iterator[None]:
        """Keep two hosts from reaching each other, by wrong hardware addresses."""
        pair = (self.hosts[name], self.hosts[other])
        _set_neighbours(*pair, wrong=True)
        try:
            yield
        finally:
            _set_neighbours(*pair, wrong=False)

    def remove(self) -> None:
        """End all hosts."""
        for host in self.hosts.values():
            host.remove()


def _set_neighbours(one: Host, other: Host, *, wrong: bool) -> None:
    for here, there in ((one, other), (other, one)):
        with here.inside():
            ip(neighbour(there.number, "eth0", 0xFF if wrong else there.number))


def neighbour(number: int, device: str, known_as: int | None = None) -> str:
    """Return the command that sets a host's hardware address permanently."""
    lladdr = mac(number if known_as is None else known_as)
    return f"neigh replace {address(number)} lladdr {lladdr} dev {device} nud permanent"


def address(number: int) -> str:
    """Return a host's address."""
    return f"10.77.0.{number}"


def mac(number: int) -> str:
    """Return a host's hardware address."""
    return f"02:00:00:00:00:{number:02x}"


def ip(*commands: str) -> None:
    """Run commands of `ip` in the calling thread's network."""
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)
