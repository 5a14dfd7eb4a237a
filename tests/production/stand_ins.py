"""Replacements for commands of the README's production block that a test cannot run.

A folder on PATH has a link to this file for each command in `STAND_INS`; other commands are the
real ones. `settings.json` beside that folder says where the test's servers are.
"""

import argparse
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BIN = Path(sys.argv[0]).absolute().parent
MACHINE = BIN.parent
# The number of `nobody`, in place of the account `myukm` that the block creates.
SERVICE = "65534"


def settings() -> dict[str, Any]:
    """Return where the test's servers are."""
    return dict(json.loads((MACHINE / "settings.json").read_text()))


def apt(verb: str, *_packages: str) -> int:
    """Start nginx, as its installation does; the packages are there already."""
    return nginx_service("start") if verb == "install" else 0


def adduser(*_words: str) -> int:
    """Create no account: `SERVICE` takes its place."""
    return 0


def chown(*words: str) -> int:
    """Change owners; `SERVICE` takes the place of `myukm`."""
    return real("chown", *(word.replace("myukm:myukm", f"{SERVICE}:{SERVICE}") for word in words))


def install(*words: str) -> int:
    """Copy with an owner; `SERVICE` takes the place of `myukm`."""
    return real("install", *(SERVICE if word == "myukm" else word for word in words))


def runuser(_u: str, account: str, _dashes: str, *command: str) -> int:
    """Run a command as another account."""
    return subprocess.run(as_account(account, command), check=False).returncode


def as_account(account: str, command: tuple[str, ...]) -> list[str]:
    """Return the command line that runs `command` as `account`."""
    number = {"postgres": settings()["postgres"]}.get(account, SERVICE)
    argv = ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups"]
    if number == SERVICE:  # this Python may lie in a folder that only root may read
        argv += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return [*argv, *command]


def nano(path: str) -> int:
    """Fill in the payment API, as the admin does in the editor."""
    file = Path(path)
    filled_in = {"PEMBAYARAN_API_URL": settings()["api"], "PEMBAYARAN_API_TOKEN": "a-token"}
    lines = [line.partition("=") for line in file.read_text().splitlines()]
    with file.open("r+") as opened:  # an editor keeps owner and mode
        opened.truncate()
        opened.writelines(f"{name}{eq}{filled_in.get(name, value)}\n" for name, eq, value in lines)
    return 0


def redis_cli(*words: str) -> int:
    """Send a command to the test's own server."""
    with socket.create_connection(("127.0.0.1", settings()["valkey"]), timeout=5) as server:
        server.sendall(f"{' '.join(words)}\r\n".encode())
        answer = server.recv(1000).decode()
    print(answer.strip())
    return int(not answer.startswith("+OK"))


def certbot(*words: str) -> int:
    """Make a self-signed certificate between the hooks."""
    parser = argparse.ArgumentParser()
    for name in ("--pre-hook", "--post-hook", "--domain"):
        parser.add_argument(name, required=True)
    options, _ = parser.parse_known_args(words)
    folder = MACHINE / "etc/letsencrypt/live" / options.domain
    folder.mkdir(parents=True)
    subprocess.run(options.pre_hook, shell=True, check=True)
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    subject = ["-subj", f"/CN={options.domain}", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    subprocess.run([*make, *subject, *files], check=True, capture_output=True)
    return subprocess.run(options.post_hook, shell=True, check=False).returncode


def nginx(*words: str) -> int:
    """Run the real one with the machine's own configuration."""
    return real(
        "nginx",
        *words,
        "-c",
        str(MACHINE / "etc/nginx/nginx.conf"),
        "-e",
        str(MACHINE / "nginx.log"),
    )


def nginx_service(verb: str) -> int:
    """Start, stop or reload nginx as its unit does."""
    return nginx() if verb == "start" else nginx("-s", {"stop": "quit"}.get(verb, verb))


def systemctl(verb: str, *words: str) -> int:
    """Do with the units that the block installs what systemd does."""
    if words == ("nginx",):
        return nginx_service(verb)
    if verb in ("daemon-reload", "is-system-running"):
        print("" if verb == "daemon-reload" else "running")
        return 0
    named = [word for word in words if word != "--now" and not word.endswith(".timer")]
    units = [word.removesuffix(".service") for word in named]
    if verb == "is-active":
        print("active" if all(map(process_of, units)) else "inactive")
        return 0
    if verb not in ("enable", "start", "stop", "restart"):
        return 1
    for unit in units:
        if verb in ("stop", "restart"):
            stop(unit)
        if verb != "stop" and not process_of(unit):
            start(unit)
    return 0


def process_of(unit: str) -> int:
    """Return the id of a unit's process, 0 if it does not run."""
    note = MACHINE / f"{unit}.pid"
    number = int(note.read_text()) if note.exists() else 0
    return number if number and Path(f"/proc/{number}/root").exists() else 0


def stop(unit: str) -> None:
    """Ask a unit's process to end and wait for it, as long as the unit says."""
    if number := process_of(unit):
        os.kill(number, signal.SIGTERM)
        deadline = time.monotonic() + 20
        while process_of(unit) and time.monotonic() < deadline:
            time.sleep(0.05)


def start(unit: str) -> None:
    """Start a unit's ExecStart as its account, with the environment of its file and no other."""
    name, at, instance = unit.partition("@")
    lines = (MACHINE / f"etc/systemd/system/{name}{at}.service").read_text().splitlines()
    said = dict(line.replace("%i", instance).split("=", 1) for line in lines if "=" in line)
    written = Path(said["EnvironmentFile"]).read_text().splitlines()
    env = dict(line.split("=", 1) for line in written if line and not line.startswith("#"))
    env |= {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    assert Path(said["ReadWritePaths"]).is_dir(), said["ReadWritePaths"]
    with ready(said.get("Type") == "notify", env), (MACHINE / f"{unit}.log").open("w") as log:
        process = subprocess.Popen(
            as_account(said["User"], tuple(shlex.split(said["ExecStart"]))),
            cwd=said["WorkingDirectory"],
            env=env,
            umask=int(said["UMask"], 8),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        (MACHINE / f"{unit}.pid").write_text(str(process.pid))


class ready:  # noqa: N801 (used as `with ready(…)`)
    """Wait at the end of the `with` block until a unit of Type=notify has said that it is ready."""

    def __init__(self, notify: bool, env: dict[str, str]) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if notify else None
        if self.socket:
            env["NOTIFY_SOCKET"] = str(MACHINE / "notify")
            self.socket.bind(env["NOTIFY_SOCKET"])
            os.chmod(env["NOTIFY_SOCKET"], 0o777)
            self.socket.settimeout(60)

    def __enter__(self) -> None:
        """Nothing happens yet."""

    def __exit__(self, *_: object) -> None:
        while self.socket and b"READY=1" not in self.socket.recv(1000):
            pass


def real(name: str, *words: str) -> int:
    """Run the real command of this name."""
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if Path(p) != BIN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    return subprocess.run([name, *words], env=os.environ | {"PATH": path}, check=False).returncode


STAND_INS = {
    "apt": apt,
    "adduser": adduser,
    "chown": chown,
    "install": install,
    "runuser": runuser,
    "nano": nano,
    "redis-cli": redis_cli,
    "certbot": certbot,
    "nginx": nginx,
    "systemctl": systemctl,
}

if __name__ == "__main__":
    sys.exit(STAND_INS[Path(sys.argv[0]).name](*sys.argv[1:]))
