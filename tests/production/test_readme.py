"""The README's production block, line by line, on PostgreSQL, Valkey and nginx of the test's own.

The lines and the files under `deploy/` are used unchanged except for folders and ports
(`replacements`). `stand_ins.py` replaces commands that a test cannot run.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from devtools.ports import any_free
from devtools.process_tree import ManagedProcess
from devtools.simulator.client import Simulator
from devtools.valkey import Valkey, wait_ready
from myukm.embedded_valkey import command
from tests.production import stand_ins
from tests.support.postgresql import PostgreSQL
from tests.support.programs import BIN, ROOT
from tests.support.servers import ROOT_USER, need, open_folder
from tests.support.waiting import wait_until

HOST, PASSWORD = "kampus.example", "kata sandi admin pertama"
NOT_TRACKED = (".venv", "instance", ".env", ".git", "__pycache__", ".*_cache")
NGINX = """
user www-data;
pid {0}/nginx.pid; error_log {0}/nginx.log;
events {{
    worker_connections 768;
}}
http {{
    access_log off; include /etc/nginx/mime.types;
    client_body_temp_path {0}/body; proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/fastcgi;
    uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;
    include {0}/etc/nginx/sites-enabled/*;
}}
"""
HBA = """
local all all trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


class Machine(NamedTuple):
    """The machine that the production block set up."""

    root: Path
    project: Path
    https: str
    http: str
    web: str
    database: PostgreSQL

    def log_in(self) -> requests.Session:
        """Return the first admin's session through nginx."""
        session = requests.Session()
        session.trust_env, session.headers["Host"] = False, HOST
        session.verify = str(self.root / "etc/ssl/myukm/fullchain.pem")
        body = {"nim": "1", "password": PASSWORD}
        answer = session.post(f"{self.https}/login", json=body, timeout=20)
        assert answer.status_code == 200, answer.text
        return session


def block() -> str:
    """Return the lines of README's production block."""
    section = (ROOT / "README.md").read_text().split("\n## Production\n")[1].split("\n## ")[0]
    blocks: list[str] = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return "\n".join(blocks)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(students=30, token="a-token") as server:
        yield server


@pytest.fixture(scope="module")
def machine(simulator: Simulator) -> Iterator[Machine]:
    """A machine on which the whole block was run."""
    if not ROOT_USER:
        pytest.skip("only root can set a machine up")
    need(shutil.which("nginx", path="/usr/sbin:/usr/bin"), "nginx")
    with open_folder() as root, open_folder() as data, PostgreSQL(data) as database:
        root.chmod(0o755)
        (database.data / "pg_hba.conf").write_text(HBA)
        with database.connect() as connection:
            connection.execute("SELECT pg_reload_conf()")
        with valkey_with_a_file(root) as valkey:
            there = prepare(root, database, valkey, simulator)
            script = ManagedProcess(
                ["bash", str(root / "block.sh")], env=environment(root, database)
            )
            try:
                wait_for_the_end(script, root)
                yield there
            finally:
                script.kill()


def valkey_with_a_file(root: Path) -> Valkey:
    """Start Valkey as Debian does: with a configuration file, append-only off."""
    port, file = any_free(), root / "valkey.conf"
    (root / "valkey").mkdir()
    program, *options = command(root / "valkey", port)
    file.write_text("appendonly no\n")
    options[options.index("--appendonly") + 1] = "no"
    child = ManagedProcess([program, str(file), *options])
    return Valkey(child, port, wait_ready(child, port))


def replacements(
    root: Path, database: PostgreSQL, valkey: Valkey, https: int, http: int, web: int
) -> dict[str, str]:
    """Return texts of the README and of `deploy/`, each with its replacement in this test."""
    return {
        "/srv/myukm": f"{root}/srv/myukm",
        "/etc/nginx/": f"{root}/etc/nginx/",
        "/var/lib/nginx/myukm": f"{root}/cache",
        "/etc/systemd/system": f"{root}/etc/systemd/system",
        '("/tmp/", "/var/tmp/")': '("/elsewhere/",)',  # where this machine's root lies
        "/etc/ssl/myukm": f"{root}/etc/ssl/myukm",
        "/etc/letsencrypt": f"{root}/etc/letsencrypt",
        "host=ukm.example.ac.id": f"host={HOST}",
        "@127.0.0.1/": f"@127.0.0.1:{database.port}/",
        "127.0.0.1:6379": f"127.0.0.1:{valkey.port}",
        "127.0.0.1:5000": f"127.0.0.1:{web}",
        "listen 80;": f"listen 127.0.0.1:{http};",
        "listen [::]:80;": "",
        "listen 443 ssl": f"listen 127.0.0.1:{https} ssl",
        "listen [::]:443 ssl http2;": "",
    }


def prepare(root: Path, database: PostgreSQL, valkey: Valkey, simulator: Simulator) -> Machine:
    """Lay out the clone, the folders of a fresh Debian, the stand-ins and the script."""
    os.umask(0o022)  # as a fresh Debian; the app closed it for this process if it ran before
    https, http, web = any_free(), any_free(), any_free()
    project = root / "srv/myukm"
    replaced = replacements(root, database, valkey, https, http, web)
    clone(project)
    for name in ("nginx/sites-available", "nginx/sites-enabled", "systemd/system", "ssl"):
        (root / "etc" / name).mkdir(parents=True)
    (root / "etc/nginx/sites-enabled/default").touch()
    (root / "etc/nginx/nginx.conf").write_text(NGINX.format(root))
    script = f"set -eu -o pipefail\nexec <{root}/typed\n{block()}\necho END\nexec sleep infinity\n"
    (root / "typed").write_text(f"{PASSWORD}\n{PASSWORD}\n")
    (root / "block.sh").write_text(script)
    ours = [project / name for name in ("myukm/cli/install.py", "myukm/ops/deployment/units.py")]
    replace_in([root / "block.sh", *(project / "deploy").glob("*.*"), *ours], replaced)
    settings = {
        "postgres": str(database.data.stat().st_uid),
        "api": simulator.url,
        "valkey": valkey.port,
    }
    (root / "settings.json").write_text(json.dumps(settings))
    (root / "bin").mkdir()
    for name in stand_ins.STAND_INS:
        (root / "bin" / name).symlink_to(root / "stand_ins.py")
    body = Path(stand_ins.__file__).read_text()
    (root / "stand_ins.py").write_text(f"#!{sys.executable}\n{body}")
    (root / "stand_ins.py").chmod(0o755)
    addresses = (f"https://127.0.0.1:{https}", f"http://127.0.0.1:{http}")
    return Machine(root, project, *addresses, f"http://127.0.0.1:{web}", database)


def clone(project: Path) -> None:
    """Copy this checkout as root with umask 077 would clone it, and link this environment into it,
    so that nothing is downloaded."""
    shutil.copytree(ROOT, project, ignore=shutil.ignore_patterns(*NOT_TRACKED))
    for path in (project, *project.rglob("*")):
        path.chmod(path.stat().st_mode & 0o700)
    here, there = BIN.parent, project / ".venv"
    there.mkdir()
    for name in ("bin", "lib"):
        (there / name).symlink_to(here / name)
    shutil.copy(here / "pyvenv.cfg", there)


def replace_in(files: list[Path], replaced: dict[str, str]) -> None:
    """Make these replacements in the files; each text must occur in one of them."""
    texts = {file: file.read_text() for file in files}
    for ours, theirs in replaced.items():
        assert any(ours in text for text in texts.values()), ours
        texts = {file: text.replace(ours, theirs) for file, text in texts.items()}
    for file, text in texts.items():
        file.write_text(text)


def environment(root: Path, database: PostgreSQL) -> dict[str, str]:
    """Return a root shell's environment."""
    path = f"{root}/bin:{os.environ['PATH']}:/usr/sbin:/usr/bin"
    return {
        "PATH": path,
        "HOME": str(root),
        "LANG": "C.UTF-8",
        "PGHOST": str(database.folder),
        "PGPORT": str(database.port),
    }


def wait_for_the_end(script: ManagedProcess, root: Path) -> None:
    """Wait until the block's last line was run; else fail with what it printed."""
    said = []
    for line in script.lines():
        if line == "END":
            return
        said.append(line)
    logs = [f"== {log.name}\n{log.read_text()[-2000:]}" for log in sorted(root.glob("*.log"))]
    pytest.fail("\n".join([*said, *logs]))


def test_the_first_admin_logs_in_through_nginx(machine: Machine) -> None:
    session = machine.log_in()
    assert session.get(f"{machine.https}/admin/users", timeout=20).status_code == 200
    assert {cookie.secure for cookie in session.cookies} == {True}


def test_the_services_complete_a_sync_run(machine: Machine) -> None:
    session, address = machine.log_in(), f"{machine.https}/admin/sync-pembayaran"
    assert session.post(f"{address}/start", timeout=20).status_code == 202

    def ended() -> dict[str, object]:
        now: dict[str, object] = session.get(f"{address}/progress", timeout=20).json()
        return now if now["status"] == "completed" else {}

    assert wait_until(ended, 60, "the run is completed")["success"] == 30


def test_only_the_service_account_may_read_secrets(machine: Machine) -> None:
    settings, account = machine.project / ".env", int(stand_ins.SERVICE)
    assert (settings.stat().st_uid, settings.stat().st_mode & 0o777) == (account, 0o600)
    for path in (machine.project / "instance", *(machine.project / "instance").rglob("*")):
        mode = 0o700 if path.is_dir() else 0o600
        assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (account, mode), path
    said = dict(line.split("=", 1) for line in settings.read_text().splitlines() if "=" in line)
    assert len(said["SECRET_KEY"]) == 64
    assert said["SECRET_KEY"] not in said["DATABASE_URL"]
    assert said["PUBLIC_URL"] == f"https://{HOST}"


def test_an_unknown_host_name_is_redirected_to_ours(machine: Machine) -> None:
    headers = {"Host": "elsewhere.example"}
    answer = requests.get(f"{machine.http}/ukm", headers=headers, allow_redirects=False, timeout=20)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"https://{HOST}/ukm")


def test_nginx_serves_static_files_and_has_connections_for_a_campus(machine: Machine) -> None:
    page = machine.log_in().get(f"{machine.https}/ukm", timeout=20).text
    address = next(iter(re.findall(r'href="(/static/[^"]+\.css)"', page)))
    certificate = str(machine.root / "etc/ssl/myukm/fullchain.pem")
    url, headers = f"{machine.https}{address}", {"Host": HOST}
    answer = requests.get(url, headers=headers, verify=certificate, timeout=20)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    assert "worker_connections 8192;" in (machine.root / "etc/nginx/nginx.conf").read_text()
