"""A process that has imported the program and becomes, in a fork, each command that a test starts.

Imports are nine tenths of the CPU time of a program's start, and a test run starts hundreds of
programs. The fork runs what `exec` would run: the command's own main function with its own
environment, signals, session and log, below a reaper.

`python -m tests.support.fork_server SOCKET KIND` prints a line when it is ready for programs of
that kind: `web` is gunicorn, `plain` is all others. Each connection starts one program: the client
sends a line of JSON, and the server answers with the reaper's process id and, when the program has
ended, its exit status as one byte. Closing the connection kills the program.

Most modules are imported inside functions, because gevent must patch the standard library first.
"""

import atexit
import json
import os
import runpy
import signal
import socket
import sys
import traceback
import warnings
from contextlib import suppress
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from devtools import reaper
from myukm import garbage
from tests.support import namespaces

MAINS = {
    "gunicorn": ("gunicorn.app.wsgiapp", "run"),
    "flask": ("flask.cli", "main"),
    "rq": ("rq.cli", "main"),
}
PRELOADED = {
    "web": ("gunicorn.app.wsgiapp", "gunicorn.workers.ggevent"),
    "plain": ("flask.cli", "rq.cli", "myukm.worker.processes"),
}


def main(address: str, kind: str) -> None:
    """Serve forks at `address`, until killed."""
    server = socket.socket(socket.AF_UNIX)  # before gevent replaces sockets
    server.bind(address)
    server.listen()
    with garbage.frozen():
        preload(kind)
        compile_templates_once(os.path.dirname(address))
    print("ready", flush=True)
    while True:
        connection, _ = server.accept()
        with connection.makefile() as lines:
            request = json.loads(lines.readline())
        if os.fork() == 0:
            server.close()
            become_reaper(connection, **request)
        connection.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def preload(kind: str) -> None:
    """Import what programs import at their start. Creating an app imports most of it."""
    if kind == "web":
        patch_for_gevent()
    for name in (*PRELOADED[kind], "myukm.ops.periodic_tasks"):
        import_module(name)
    for job in import_module("myukm.queues.jobs").JOBS:
        import_module(job.rpartition(".")[0])
    import_module("tests.support.compile_once").compile_once()
    settings = {"DATABASE_URL": "sqlite:////none.db", "SECRET_KEY": "of an app thrown away" * 2}
    import_module("myukm").create_app(import_module("config").load(settings))
    import_module("sqlalchemy.orm").configure_mappers()


def patch_for_gevent() -> None:
    """Patch what gunicorn's worker patches before it imports the program.

    `os`, `signal`, `select` and `subprocess` stay the real ones until the worker patches them,
    because gunicorn's master and the reaper use them.
    """
    os.environ["PSYCOPG_WAIT_FUNC"] = "wait_poll"  # as gunicorn.conf.py sets it
    # gevent looks for plug-ins in all installed packages, once for each patched module.
    metadata.entry_points = cache(metadata.entry_points)  # type: ignore[assignment]
    warnings.filterwarnings("ignore", "Patching more than once")
    monkey = import_module("gevent.monkey")
    monkey.patch_all(os=False, signal=False, select=False, subprocess=False)


def compile_templates_once(folder: str) -> None:
    """Let all forks share compiled templates in `folder`, because each has its own Jinja."""
    flask, jinja2 = import_module("flask"), import_module("jinja2")
    cached = {"bytecode_cache": jinja2.FileSystemBytecodeCache(folder)}
    flask.Flask.jinja_options = flask.Flask.jinja_options | cached


def become_reaper(
    connection: socket.socket, argv: list[str], cwd: str, env: dict[str, str], log: str, task: str
) -> NoReturn:
    """Make this process the reaper of `argv`: it kills the program when the connection is closed.

    `task` is the client's folder in /proc; the program runs in its namespaces.
    """
    namespaces.enter(task)
    os.dup2(connection.fileno(), 0)  # the reaper watches its stdin; both answers go there, too
    connection.close()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    os.write(0, f"{os.getpid()}\n".encode())
    os.write(0, bytes([reaper.main(argv, run)]))
    os._exit(0)


def run(name: str, argv: list[str]) -> NoReturn:
    """Run a command in this process as after `exec`, and exit with its status."""
    signal.set_wakeup_fd(-1)
    for number in (*reaper.FORWARDED_SIGNALS, signal.SIGQUIT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.modules["__main__"] = ModuleType("__main__")
    status = 1
    try:
        status = call(name, argv) or 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 (the interpreter's own last resort)
        traceback.print_exc()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def call(name: str, argv: list[str]) -> int | None:
    """Call the main function of a command; `python FILE` runs the file."""
    if name == "python":
        sys.argv, sys.orig_argv = argv[1:], [sys.executable, *argv[1:]]
        runpy.run_path(argv[1], run_name="__main__")
        return None
    script = str(Path(sys.executable).with_name(name))
    sys.argv, sys.orig_argv = argv, [sys.executable, script, *argv[1:]]
    module, function = MAINS[name]
    status: int | None = getattr(import_module(module), function)()
    return status


if __name__ == "__main__":
    main(*sys.argv[1:])
