"""`flask upgrade` in a checkout of the test, with real git, database and commands."""

import os
import re
import shutil
from pathlib import Path

import pytest

from myukm.db.versions import newest_migration
from tests.support.checkouts import AUTHOR, GOOD, MIGRATION, Checkout
from tests.support.programs import BIN, ROOT, SECRET
from tests.support.servers import ROOT_USER, open_folder

LEFT_OUT = (".git", ".venv", "instance", "tests", "bench", "node_modules", "__pycache__")


@pytest.fixture
def checkout(settings: dict[str, str], tmp_path: Path) -> Checkout:
    return begun(tmp_path, settings)


def begun(parent: Path, settings: dict[str, str]) -> Checkout:
    """Return a checkout of this code in `parent`."""
    folder = parent / "project"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    (folder / ".venv").symlink_to(BIN.parent)
    own = {"MYUKM_LANG": "en", "SECRET_KEY": SECRET, "GIT_CONFIG_GLOBAL": "/dev/null"}
    there = Checkout(folder, os.environ | settings | own | AUTHOR)
    there.begin(parent / "origin.git")
    return there


def upgrade(checkout: Checkout, backups: Path) -> tuple[int, str]:
    return checkout.run(
        str(BIN / "flask"), "--app", "wsgi:app", "upgrade", "--backups", f"{backups}"
    )


def migration_of(checkout: Checkout) -> str:
    return checkout.run("./run", "db", "current")[1]


def test_new_code_and_tables_after_a_verified_backup(checkout: Checkout, tmp_path: Path) -> None:
    backups = tmp_path / "backups"
    status, said = upgrade(checkout, backups)
    assert (status, "newest" in said, backups.exists()) == (0, True, False), said
    assert "by hand: ./run queue restart" in said
    checkout.publish_migration()
    (checkout.folder / "README.md").write_text("changed here")
    status, said = upgrade(checkout, backups)
    assert (status, "git stash" in said) == (1, True), said
    checkout.git("checkout", "--quiet", "README.md")
    status, said = upgrade(checkout, backups)
    assert (status, "Done: " in said) == (0, True), said
    assert checkout.git("rev-parse", "HEAD") == checkout.git("rev-parse", "origin/main")
    assert "9999" in migration_of(checkout)
    assert len(list(backups.glob("myukm-*.zip"))) == 1


def test_a_migration_that_fails_leaves_everything_as_it_was(
    checkout: Checkout, tmp_path: Path
) -> None:
    old = checkout.git("rev-parse", "HEAD")
    newest = newest_migration()
    # The first one succeeds and is downgraded again.
    good = MIGRATION.format(number="9998", before=newest, step=GOOD)
    bad = MIGRATION.format(number="9999", before="9998", step="raise RuntimeError('no such thing')")
    (checkout.folder / "myukm/migrations/versions/9999_trial.py").write_text(bad)
    checkout.git("add", ".")
    checkout.publish("myukm/migrations/versions/9998_trial.py", good)
    status, said = upgrade(checkout, tmp_path / "backups")
    assert (status, "no such thing" in said) == (1, True), said
    assert f"everything is back at {old[:10]}" in said
    assert checkout.git("rev-parse", "HEAD") == old
    assert newest in migration_of(checkout)
    assert checkout.run("./run", "backup", str(tmp_path / "after.zip"))[0] == 0


def test_workers_that_cannot_be_restarted_take_the_old_code_back(
    checkout: Checkout, tmp_path: Path
) -> None:
    old = checkout.git("rev-parse", "HEAD")
    command = "myukm/cli/queue_jobs.py"
    text = (checkout.folder / command).read_text()
    request = "restart_counter.request(valkey())"
    checkout.publish(command, text.replace(request, "raise click.ClickException('no restart')"))
    status, said = upgrade(checkout, tmp_path / "backups")
    assert (status, "no restart" in said) == (1, True), said
    assert f"everything is back at {old[:10]}" in said
    assert said.count("Asked worker.py to restart") == 1, "the old code can do it"
    assert checkout.git("rev-parse", "HEAD") == old


def test_a_long_complaint_of_git_keeps_its_beginning_and_its_end(
    checkout: Checkout, tmp_path: Path
) -> None:
    names = [f"docs/a-page-with-quite-a-long-name-{number}.md" for number in range(20)]
    for name in names:
        (checkout.folder / name).write_text("published")
    checkout.git("add", ".")
    checkout.publish(names[0], "published")
    for name in names:
        (checkout.folder / name).write_text("not in git here")
    status, said = upgrade(checkout, tmp_path / "backups")
    assert (status, "would be overwritten by merge" in said, "Aborting" in said) == (1, True, True)
    assert names[10] not in said


@pytest.mark.skipif(not ROOT_USER, reason="only root can become somebody else")
def test_root_is_told_commands_that_act_as_the_account_of_the_checkout(
    settings: dict[str, str],
) -> None:
    with open_folder() as folder:
        folder.chmod(0o755)
        checkout = begun(folder, settings)
        (checkout.folder / "README.md").write_text("changed here")
        assert checkout.run("chown", "-R", "nobody", ".", "../origin.git")[0] == 0
        status, said = upgrade(checkout, folder / "backups")
        assert (status, "Run: runuser -u nobody -- git stash" in said) == (1, True), said
        commit = ("runuser", "-u", "nobody", "--", "git", "commit", "--quiet", "-am", "local")
        assert checkout.run(*commit)[0] == 0
        status, said = upgrade(checkout, folder / "backups")
        commands = re.findall(r"(?<=runuser -u nobody -- git )\w+", said)
        assert (status, commands) == (1, ["log", "push", "branch", "reset"]), said


@pytest.mark.parametrize("diverged", [False, True])
def test_a_local_commit_is_refused_before_anything_is_done(
    checkout: Checkout, tmp_path: Path, diverged: bool
) -> None:
    base, backups = checkout.git("rev-parse", "HEAD"), tmp_path / "backups"
    if diverged:
        checkout.publish("README.md", "new words")
    checkout.git("commit", "--quiet", "--allow-empty", "-m", "local")
    local = checkout.git("rev-parse", "HEAD")
    status, said = upgrade(checkout, backups)
    assert (status, backups.exists()) == (1, False), said
    assert checkout.git("rev-parse", "HEAD") == local
    assert (cure := f"git branch local-commits && git reset --keep {base}") in said
    assert checkout.run("sh", "-c", cure)[0] == 0
    status, said = upgrade(checkout, backups)
    assert (status, checkout.git("status", "--short", "--branch")) == (0, "## main...origin/main")


def test_a_failed_migration_prints_the_way_back_if_git_cannot_go_it(
    checkout: Checkout, tmp_path: Path
) -> None:
    old, newest = checkout.git("rev-parse", "HEAD"), newest_migration()
    lock = ".git/index.lock"  # as a killed git leaves it
    step = f"open('{lock}', 'x'); raise RuntimeError('no such thing')"
    bad = MIGRATION.format(number="9999", before=newest, step=step)
    checkout.publish("myukm/migrations/versions/9999_trial.py", bad)
    status, said = upgrade(checkout, tmp_path / "backups")
    assert (status, "no such thing" in said, "File exists" in said) == (1, True, True), said
    (checkout.folder / lock).unlink()
    commands = re.findall(r"^  ((?:git|\./run) .+)$", said, re.MULTILINE)
    assert commands[-1] == "./run queue doctor"
    for command in commands[:-1]:
        assert checkout.run(*command.split())[0] == 0, command
    assert checkout.git("rev-parse", "HEAD") == old
    assert newest in migration_of(checkout)


SYSTEMCTL = """#!/bin/sh
case $1 in
    is-system-running) echo running ;;
    list-units)
        echo "myukm-web.service loaded active running MyUKM web"
        echo "myukm-worker@1.service loaded active running MyUKM worker 1" ;;
    restart)
        echo "$2" >>"$(dirname "$0")/restarted"
        ! grep -q "starts no more" README.md && ! [ -e "$(dirname "$0")/broken-$2" ] ;;
    *) exit 1 ;;
esac
"""


@pytest.fixture
def restarted(checkout: Checkout, tmp_path: Path) -> Path:
    """The file in which a fake `systemctl` lists what it restarted. It is a fake, because systemd
    may not run this machine; it fails if README.md says "starts no more", and for a SERVICE
    beside which there is a file broken-SERVICE."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "systemctl").write_text(SYSTEMCTL)
    (programs / "systemctl").chmod(0o755)
    checkout.env["PATH"] = f"{programs}:{checkout.env['PATH']}"
    return programs / "restarted"


@pytest.mark.skipif(not ROOT_USER, reason="only root restarts services")
def test_services_are_restarted_workers_first(
    checkout: Checkout, restarted: Path, tmp_path: Path
) -> None:
    checkout.publish("README.md", "new words")
    status, said = upgrade(checkout, tmp_path / "backups")
    assert (status, "Done: " in said) == (0, True), said
    assert restarted.read_text().split() == ["myukm-worker@1.service", "myukm-web.service"]


@pytest.mark.skipif(not ROOT_USER, reason="only root restarts services")
def test_a_service_that_does_not_start_takes_the_old_code_back(
    checkout: Checkout, restarted: Path, tmp_path: Path
) -> None:
    old = checkout.git("rev-parse", "HEAD")
    checkout.publish("README.md", "it starts no more")
    status, said = upgrade(checkout, tmp_path / "backups")
    assert (status, f"everything is back at {old[:10]}" in said) == (1, True), said
    assert "restart myukm-worker@1.service" in said
    assert checkout.git("rev-parse", "HEAD") == old
    worker, web = "myukm-worker@1.service", "myukm-web.service"
    assert restarted.read_text().split() == [worker, worker, web]


@pytest.mark.skipif(not ROOT_USER, reason="only root restarts services")
def test_on_the_way_back_every_service_is_restarted_and_each_failure_is_named(
    checkout: Checkout, restarted: Path, tmp_path: Path
) -> None:
    worker, web = "myukm-worker@1.service", "myukm-web.service"
    (restarted.parent / f"broken-{worker}").touch()
    old = checkout.git("rev-parse", "HEAD")
    checkout.publish("README.md", "new words")
    status, said = upgrade(checkout, tmp_path / "backups")
    assert (status, "everything is back" in said) == (1, False), said
    assert f"  systemctl restart {worker}\n" in said
    assert f"  systemctl restart {web}\n" not in said
    assert checkout.git("rev-parse", "HEAD") == old
    assert restarted.read_text().split() == [worker, worker, web]
