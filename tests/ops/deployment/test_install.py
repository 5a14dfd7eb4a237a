"""`flask install`: its units, one line for what is missing, and `--print`, which writes nothing."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from click.testing import Result
from flask import Flask

from config import ROOT
from devtools.ports import any_free
from myukm.errors import Invalid
from myukm.ops.deployment import install, systemd, units
from myukm.ops.deployment.units import Place
from tests.support.programs import BIN, Program
from tests.support.servers import ROOT_USER, need
from tests.support.waiting import wait_until

Flasks = Callable[..., Result]
as_root = pytest.mark.skipif(not ROOT_USER, reason="only root installs services")


@pytest.fixture
def flask(app: Flask) -> Flasks:
    return lambda *words: app.test_cli_runner().invoke(args=words)


@pytest.fixture
def odd_folder() -> Iterator[Path]:
    """A folder with blanks and a percent sign, which is not under /tmp."""
    folder = ROOT / "instance" / f"kampus kita 100% {os.getpid()}"
    (folder / "instance").mkdir(parents=True)
    (folder / ".venv").symlink_to(BIN.parent)
    yield folder
    shutil.rmtree(folder)


def placed(folder: Path, *others: Path, account: str = "daemon") -> Place:
    instance = folder / "instance"
    return Place(folder, account, account, instance / "backups", (instance, *others))


def verified(folder: Path, texts: dict[str, str]) -> list[str]:
    """Write the units into a folder and return systemd's complaints about them."""
    analyze = need(shutil.which("systemd-analyze"), "systemd")
    paths = install.write(texts, folder)
    named = [str(path).replace("@", "@1") for path in paths]
    for path, name in zip(paths, named, strict=True):
        path.rename(name)
    done = subprocess.run(
        [analyze, "verify", "--man=no", *named], check=False, capture_output=True, text=True
    )
    said = [line for line in done.stderr.splitlines() if "myukm-" in line]
    assert said or done.returncode == 0, done.stderr
    return said


def test_systemd_accepts_the_units_of_any_folder(
    app: Flask, odd_folder: Path, tmp_path: Path
) -> None:
    place = placed(odd_folder, Path("/srv/berkas"))
    with app.test_request_context():
        texts = units.render(place, with_valkey=True)
    assert verified(tmp_path, texts) == []
    folder = str(odd_folder).replace("%", "%%")
    assert f'--into "{folder}/instance/backups"\n' in texts[units.BACKUP]
    for name, text in texts.items():
        assert "/srv/myukm" not in text
        if name == units.TIMER:
            continue
        assert f'\nReadWritePaths="{folder}/instance" /srv/berkas\n' in text
        assert f"\nWorkingDirectory={folder}\n" in text
        assert "\nUser=daemon\nGroup=daemon\n" in text
        for promise in ("ProtectSystem=strict", "NoNewPrivileges=yes", "PrivateTmp=yes"):
            assert f"\n{promise}\n" in text
        assert ("\nRestart=always\n" in text) != (name == units.BACKUP)
        assert "\nUMask=0077\n" in text
    for name in (units.WEB, units.WORKER):
        assert f"\nEnvironmentFile={folder}/.env\n" in texts[name]


def test_the_units_of_deploy_are_those_of_srv_myukm(app: Flask) -> None:
    place = placed(Path("/srv/myukm"), account="myukm")
    with app.test_request_context():
        for name, text in units.render(place, with_valkey=True).items():
            assert text == (ROOT / "deploy" / name).read_text(), name


@pytest.mark.parametrize("folder", ["/srv/a$b", '/srv/a"b', "/srv/a\nb", "/srv/a[b]", "/tmp/myukm"])
def test_a_folder_that_a_service_cannot_use_is_refused(app: Flask, folder: str) -> None:
    with app.test_request_context(), pytest.raises(Invalid, match=r"Folder|/tmp"):
        placed(Path(folder))


def test_a_folder_under_home_can_be_read(app: Flask) -> None:
    place = placed(Path("/home/siti/myukm"))
    with app.test_request_context():
        assert "\nProtectHome=read-only\n" in units.render(place, with_valkey=False)[units.WEB]


def test_only_the_backup_may_write_to_the_folder_for_backups(app: Flask) -> None:
    folder = Path("/srv/myukm")
    place = replace(placed(folder), backups=Path("/mnt/nas/cadangan"))
    with app.test_request_context():
        texts = units.render(place, with_valkey=False)
    assert [name for name, text in texts.items() if "/mnt/nas" in text] == [units.BACKUP]
    assert " --into /mnt/nas/cadangan\n" in texts[units.BACKUP]
    assert "\nReadWritePaths=/srv/myukm/instance /mnt/nas/cadangan\n" in texts[units.BACKUP]


def test_print_shows_the_units_and_writes_nothing(
    flask: Flasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units_folder = tmp_path / "units"
    units_folder.mkdir()
    words = ("install", "--print", "--units", str(units_folder), "--user", "daemon")
    monkeypatch.setattr(install, "written_folders", lambda: [ROOT / "instance"])
    named = flask(*words)
    assert (named.exit_code, list(units_folder.iterdir())) == (0, [])
    assert f"# {units_folder}/myukm-web.service\n" in named.output
    assert "myukm-valkey" not in named.output.replace("After=myukm-valkey.service", "")
    monkeypatch.delenv("REDIS_URL")
    assert f"# {units_folder}/myukm-valkey.service\n" in flask(*words).output


def test_print_needs_no_folder_of_systemd(
    flask: Flasks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "written_folders", lambda: [ROOT / "instance"])
    missing = tmp_path / "none"
    shown = flask("install", "--print", "--units", str(missing), "--user", "daemon")
    assert (shown.exit_code, missing.exists()) == (0, False)
    assert f"# {missing}/myukm-web.service\n" in shown.output


def test_a_missing_account_and_root_are_refused_in_one_line(flask: Flasks) -> None:
    for name, word in (("tidakada", "adduser --system"), ("root", "root")):
        answer = flask("install", "--print", "--user", name)
        assert (answer.exit_code, answer.output.count("\n")) == (1, 1)
        assert word in answer.output


def run(settings: dict[str, str], *words: str, account: str | None = None) -> tuple[int, str]:
    """Run `flask` in a process of its own; return exit status and output."""
    argv = [str(BIN / "flask"), "--app", "wsgi:app", *words]
    if account:
        uid = pwd.getpwnam(account).pw_uid
        # With the right to read all files, because this Python may lie in a folder of root.
        argv = [
            *("setpriv", f"--reuid={uid}", "--clear-groups", "--inh-caps=+dac_read_search"),
            *("--ambient-caps=+dac_read_search", *argv),
        ]
    env = os.environ | settings
    done = subprocess.run(argv, check=False, capture_output=True, text=True, env=env, cwd=ROOT)
    return done.returncode, done.stdout + done.stderr


@as_root
def test_without_root_one_line_names_sudo_and_print(
    settings: dict[str, str], tmp_path: Path, database_url: str
) -> None:
    here = {**settings, "DATABASE_URL": "postgresql://nobody@127.0.0.1/x", "FILES_URL": ""}
    status, said = run(here, "install", "--units", "/etc", "--user", "daemon", account="daemon")
    assert (status, said.count("\n")) == (1, 1), said
    assert "sudo" in said
    assert "--print" in said


@as_root
def test_without_systemd_one_line_names_compose(settings: dict[str, str]) -> None:
    if systemd.runs():
        pytest.skip("systemd runs this machine")
    here = {**settings, "DATABASE_URL": "postgresql://nobody@127.0.0.1/x", "FILES_URL": ""}
    status, said = run(here, "install", "--units", "/etc", "--user", "daemon")
    assert (status, said.count("\n")) == (1, 1), said
    assert "compose.yaml" in said


def test_running_services_read_the_new_settings(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the units are the same: another address of PostgreSQL changes only .env."""
    done: list[tuple[str, ...]] = []
    for name in ("require_root", "require_systemd"):
        monkeypatch.setattr(systemd, name, lambda: None)
    for name in ("_require_readable", "_require_free_port"):
        monkeypatch.setattr(install, name, lambda _: None)
    monkeypatch.setattr(systemd, "systemctl", lambda *words: done.append(words))
    monkeypatch.setattr(install, "is_running", lambda name: name != "myukm-worker@2.service")
    place = placed(Path("/srv/myukm"))
    with app.test_request_context():
        texts = units.render(place, with_valkey=True)
        services = install.Services(place, texts, units.services(with_valkey=True, workers=2))
        for restarted in (
            [units.VALKEY, "myukm-worker@1.service", units.WEB, units.TIMER],
            ["myukm-worker@1.service", units.WEB],
        ):
            done.clear()
            install.install(services, tmp_path)
            assert [words[1] for words in done if words[0] == "restart"] == restarted


def test_the_embedded_valkey_keeps_what_was_queued_and_is_alone(tmp_path: Path) -> None:
    """The unit's command runs in a checkout of this test, where its data lie."""
    for name in ("myukm", "config.py"):
        (tmp_path / name).symlink_to(ROOT / name)
    port = any_free()
    client = redis.Redis(port=port, socket_timeout=1)
    for word in ("first", "second"):
        server = embedded(tmp_path, port, word)
        wait_until(lambda: answers(client), 20, "it answers")
        client.set("kept", word, nx=True)
        refused = embedded(tmp_path, port, f"beside {word}")
        assert refused.child.wait(20) == 1
        assert "another Valkey is running" in refused.output()
        refused.kill()
        assert client.get("kept") == b"first"
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert server.stop() == 0
    client.close()


def embedded(checkout: Path, port: int, name: str) -> Program:
    """Start the unit's command on another port."""
    code = f"from myukm import embedded_valkey as v; v.PORT = {port}; v.main()"
    own = {"PYTHONPATH": str(checkout)}
    return Program(checkout / f"{name}.log", own, sys.executable, "-c", code, cwd=checkout)


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
