"""`./run`, copied to a folder of its own: the environment it makes, and its one-line errors."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import open_folder
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "cat", "cksum", "dirname", "mkdir", "env")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that needs no package, so that no test needs the network."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(ROOT / "run", folder)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text("")
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with the tools of a bare system, for use as PATH; no Python in it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name))
    return folder


def start(project: Path, *arguments: str, **environ: str) -> subprocess.Popen[str]:
    set_by_ci = ("REDIS_URL", "MYUKM_TEST_NO_SKIP")
    env = {k: v for k, v in os.environ.items() if k not in set_by_ci} | environ
    return subprocess.Popen(
        [str(project / "run"), *arguments],
        cwd="/",
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        umask=0,
        start_new_session=True,
    )


def run(project: Path, *arguments: str, **environ: str) -> tuple[int, str, str]:
    """Return exit status, output and errors."""
    with start(project, *arguments, **environ) as process:
        out, err = process.communicate(timeout=200)
    return process.returncode, out, err


def put(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def ready_made(project: Path, **programs: str) -> None:
    """Give the project an environment that is up to date, with scripts in place of programs."""
    for name, script in programs.items():
        put(project / ".venv/bin" / name, script)
    version = "{}.{}".format(*sys.version_info)
    (project / f".venv/lib/python{version}/site-packages").mkdir(parents=True, exist_ok=True)
    # The account of one test may not execute this Python, so the script says the version itself.
    answer = f"case $1 in -ISc) echo {version}; exit ;; esac"
    put(project / ".venv/bin/python", f'{answer}\nexec {sys.executable} "$@"')
    for stamp, files in (("run", "requirements.txt"), ("dev", "requirements*.txt")):
        wanted = subprocess.check_output(f"cat {files} | cksum", shell=True, cwd=project)
        (project / ".venv" / f".stamp-{stamp}").write_bytes(wanted)


def test_the_packages_of_the_tests_are_those_of_the_program_too(project: Path, tmp_path: Path):
    """Otherwise a test that starts `./run web` would run pip in the middle of all tests."""
    ready_made(project, flask="echo started")
    for stamp in project.glob(".venv/.stamp-*"):
        stamp.unlink()
    calls, version = tmp_path / "calls", "{}.{}".format(*sys.version_info)
    answer = f"case $1 in -ISc) echo {version} ;; -m) echo $2 >>{calls} ;; esac"
    put(project / ".venv/bin/python", answer)
    assert run(project, "test", "tests/one.py")[0] == 0
    assert run(project, "db") == (0, "started\n", "")
    assert calls.read_text().split() == ["pip", "pip", "pytest"]


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"]])
def test_without_a_command_it_explains_itself_and_makes_nothing(project: Path, arguments):
    status, out, err = run(project, *arguments)
    assert (status, err) == (0, "")
    assert "./run demo" in out
    assert not (project / ".venv").exists()


def test_without_python_one_line_says_what_to_install(project: Path, tools: Path):
    status, _, err = run(project, "demo", PATH=str(tools))
    assert status == 2
    assert err.startswith("Python 3.11 atau lebih baru tidak ditemukan")
    assert err.count("\n") == 1
    _, _, err = run(project, "demo", PATH=str(tools), MYUKM_LANG="en")
    assert err.startswith("Python 3.11 or newer was not found")
    assert "apt install python3" in err


def test_an_old_python_is_refused_in_one_line(project: Path, tools: Path):
    put(tools / "python3", "exit 1")
    status, _, err = run(project, "demo", PATH=str(tools))
    assert (status, err.count("\n")) == (2, 1)


def test_without_the_venv_module_one_line_names_its_package(project: Path, tools: Path):
    put(
        tools / "python3",
        f'case "$2" in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"',
    )
    status, _, err = run(project, "demo", PATH=str(tools), MYUKM_LANG="en")
    assert status == 2
    assert "apt install python3-venv" in err
    assert err.count("\n") == 1


def test_a_folder_that_is_not_writable_is_named_in_one_line(project: Path):
    (project / "instance").write_text("in the way")
    status, _, err = run(project, "demo", MYUKM_LANG="en")
    assert status == 2
    assert err.startswith(f"The folder {project} is not writable")
    assert err.count("\n") == 1


@pytest.mark.parametrize("target", ["../project/run", "{}/run"])
def test_a_link_to_it_works_from_anywhere(project: Path, tmp_path: Path, target: str):
    ready_made(project, flask='echo "$PWD $*"')
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/myukm").symlink_to(target.format(project))
    (tmp_path / "again").symlink_to("bin/myukm")
    for link in ("bin/myukm", "again"):
        done = subprocess.run(
            [tmp_path / link, "db"], cwd="/", text=True, capture_output=True, check=True
        )
        assert done.stdout == f"{project} db\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_told_what_is_missing_in_one_line():
    """Checkout and environment belong to root: up to date they work, else they say why."""
    with open_folder() as folder:
        project = folder / "project"
        project.mkdir()
        shutil.copy(ROOT / "run", project)
        (project / "requirements.txt").write_text("")
        (project / "requirements-dev.txt").write_text("")
        ready_made(project, flask='echo "$*"')
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        assert as_nobody(project) == (0, "db\n", "")
        (project / "requirements.txt").write_text("# changed\n")
        status, _, err = as_nobody(project)
        assert (status, err.count("\n")) == (2, 1)
        assert "is not writable" in err
        (project / "instance").mkdir(mode=0o777)
        (project / "instance").chmod(0o777)
        status, _, err = as_nobody(project)
        assert (status, err.count("\n")) == (2, 1)
        assert "belongs to another user" in err


def as_nobody(project: Path) -> tuple[int, str, str]:
    """Return exit status, output and errors of `./run db` by another account."""
    done = subprocess.run(
        [project / "run", "db"],
        env={"PATH": os.environ["PATH"], "HOME": "/", "MYUKM_LANG": "en"},
        text=True,
        capture_output=True,
        user="nobody",
        group="nogroup",
        extra_groups=[],
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_after_a_failed_installation_the_next_command_installs_the_packages(
    project: Path, tools: Path
):
    """`python3` is too old here, `python3.12` is not."""
    put(tools / "python3", "exit 1")
    put(tools / "python3.12", f'exec {sys.executable} "$@"')
    (project / "requirements.txt").write_text("./not-there\n")
    status, _, err = run(project, "worker", PATH=str(tools), MYUKM_LANG="en")
    assert status == 2
    assert "requirements.txt could not be installed" in err.splitlines()[-1]
    (project / "requirements.txt").write_text("")
    (project / "worker.py").write_text("import sys; print(sys.prefix)")
    status, out, err = run(project, "worker", PATH=str(tools))
    assert (status, out.strip()) == (0, str(project / ".venv")), err
    # The program reads .env itself, because `flask` would print a traceback for a wrong one.
    code = "import os; print(os.environ.get('FLASK_SKIP_DOTENV'))"
    argv = [project / ".venv/bin/python", "-c", code]
    assert subprocess.check_output(argv, env={}, text=True) == "1\n"


def test_after_an_upgrade_of_python_the_packages_are_installed_again(project: Path):
    """`.venv/bin/python` is then the new version, which has its own folder of packages."""
    (project / "worker.py").write_text("import sys; print(sys.prefix)")
    assert run(project, "worker")[0] == 0
    [library] = (project / ".venv/lib").iterdir()
    library.rename(library.with_name("python3.2"))
    status, out, err = run(project, "worker", MYUKM_LANG="en")
    assert (status, out.strip()) == (0, str(project / ".venv")), err
    assert "Installing Python packages" in err
    assert [path.name for path in (project / ".venv/lib").iterdir()] == [library.name]
    assert run(project, "worker")[2] == "", "only once"


def test_two_at_once_make_one_environment(project: Path):
    (project / "worker.py").write_text("print('works')")
    both = [start(project, "worker") for _ in range(2)]
    for process in both:
        with process:
            out, err = process.communicate(timeout=200)
        assert (process.returncode, out) == (0, "works\n"), err
    made = (project / "instance", *(project / "instance").rglob("*"))
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in made} == {
        "instance": "0o700",
        "log": "0o700",
        "setup.lock": "0o600",
        "setup.log": "0o600",
    }


def test_changed_requirements_are_installed_before_anything_runs(project: Path):
    ready_made(project, flask="echo flask")
    assert run(project, "db")[1:] == ("flask\n", "")
    (project / "requirements.txt").write_text("# changed\n")
    _, out, err = run(project, "db", MYUKM_LANG="en")
    assert (out, err) == (
        "flask\n",
        "Installing Python packages (only once, needs the network) …\n",
    )
    assert run(project, "db")[1:] == ("flask\n", "")


def test_anything_else_is_a_flask_command_run_from_the_root(project: Path):
    ready_made(project, flask='echo "$FLASK_APP $PWD $*"; exit 3')
    status, out, _ = run(project, "sync", "start", "--idperson", "a b")
    assert (status, out) == (3, f"wsgi:app {project} sync start --idperson a b\n")


def test_rq_uses_the_settings_of_the_other_commands(project: Path):
    ready_made(project, rq='echo "$RQ_CONFIG $*"')
    assert run(project, "rq", "info")[1] == "rq_settings info\n"


CHECKS = ("ruff", "mypy", "lint-imports", "biome", "djlint", "shellcheck")
PYTEST = "import os, sys; print('1 passed', os.environ.get('MYUKM_TEST_NO_SKIP'), *sys.argv[1:])"


def checks(project: Path, **scripts: str) -> None:
    """Give the project checks that pass, or do what `scripts` say, and tests that pass."""
    ready_made(project, **(dict.fromkeys(CHECKS, "") | scripts))
    (project / "package.json").write_text("{}")
    (project / "node_modules").mkdir()
    stamp = subprocess.check_output(["cksum"], input=b"{}")
    (project / "node_modules/.stamp").write_bytes(stamp)
    (project / "pytest.py").write_text(PYTEST)


def headings(out: str) -> list[str]:
    """Return the names of the steps, each of which also ends with its seconds."""
    lines = [line.strip("= ") for line in out.splitlines() if line.startswith("==")]
    begun = [line for line in lines if not line.endswith(" s")]
    assert [line.rpartition(": ")[0] for line in lines if line.endswith(" s")] == [
        *begun,
        "all steps",
    ]
    return begun


def test_ci_checks_the_code_and_then_runs_all_tests_with_nothing_skipped(
    project: Path, tools: Path
):
    checks(project)
    put(tools / "id", "echo 1000")
    status, out, err = run(project, "ci", PATH=f"{tools}:{os.environ['PATH']}")
    assert (status, err) == (0, "")
    assert "1 passed 1 -n 4" in out
    assert headings(out)[:3] == [
        "install_debian_packages",
        "ruff check .",
        "ruff format --check .",
    ]
    assert headings(out)[-1] == "all_tests"


def test_a_check_that_fails_ends_ci_after_the_other_checks_and_before_the_tests(
    project: Path, tools: Path
):
    checks(project, mypy="echo bad; exit 1")
    put(tools / "id", "echo 1000")
    status, out, err = run(project, "ci", PATH=f"{tools}:{os.environ['PATH']}")
    assert status == 1
    assert "[mypy]" in err
    assert headings(out)[-1] == "shellcheck run .ci/run"


def test_a_path_is_tested_by_plain_pytest(project: Path):
    ready_made(project)
    (project / "pytest.py").write_text(PYTEST)
    assert run(project, "test", "tests/db", "--pdb")[1] == "1 passed None tests/db --pdb\n"


@pytest.fixture
def policy(project: Path, tools: Path) -> Path:
    """The file that keeps services from starting. `run` sees root and no installed package."""
    policy = project / "policy-rc.d"
    text = (project / "run").read_text()
    assert "/usr/sbin/policy-rc.d" in text
    (project / "run").write_text(text.replace("/usr/sbin/policy-rc.d", str(policy)))
    checks(project)
    put(tools / "id", "echo 0")
    put(tools / "dpkg", "exit 1")
    (project / "pytest.py").write_text(f"import os; print(os.path.exists({str(policy)!r}))")
    return policy


def test_ci_lets_services_start_again_after_it_installed_its_packages(
    project: Path, tools: Path, policy: Path
):
    put(tools / "apt-get", f'[ "$1" = update ] || {policy} || echo "services: $?"')
    status, out, err = run(project, "ci", PATH=f"{tools}:{os.environ['PATH']}")
    assert (status, err) == (0, "")
    assert "services: 101" in out.splitlines()
    assert "False" in out.splitlines()


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ci_interrupted_while_it_installs_packages_lets_services_start_again(
    project: Path, tools: Path, policy: Path, sent: signal.Signals
):
    # Python, because a shell may lose a signal while it starts another program.
    code = f"import time; open('{project}/begun', 'w'); time.sleep(60)"
    put(tools / "apt-get", f'[ "$1" = update ] || exec {sys.executable} -c "{code}"')
    with start(project, "ci", PATH=f"{tools}:{os.environ['PATH']}") as process:
        wait_until((project / "begun").exists, 30, "apt-get runs")
        os.killpg(process.pid, sent)
        process.communicate(timeout=20)
    assert process.returncode != 0
    assert not policy.exists()


@pytest.mark.parametrize(("home", "used"), [("/", "/"), ("/not/there", "{}/instance")])
def test_a_home_that_cannot_be_entered_is_replaced(project: Path, home: str, used: str):
    """`runuser -u myukm` keeps root's HOME; libpq connects without TLS if it may not read it."""
    ready_made(project, flask='echo "$HOME"')
    assert run(project, "db", HOME=home)[1] == f"{used.format(project)}\n"
