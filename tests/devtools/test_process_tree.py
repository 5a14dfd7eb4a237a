"""Programs below a reaper leave no process behind, whichever process dies and however."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from devtools.process_tree import ManagedProcess
from tests.support.waiting import wait_until

# The grandchild is hard to find: it has a session of its own, and its parent has ended.
FAMILY = textwrap.dedent(
    """
    import os, signal, time
    if not os.fork():
        os.setsid()
        if not os.fork():
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.write(1, b"grandchild %d\\n" % os.getpid())
            time.sleep(600)
        os._exit(0)
    os.wait()
    os.write(1, b"parent %d\\n" % os.getpid())
    time.sleep(600)
    """
)
OWNER = textwrap.dedent(
    """
    import sys, time
    from devtools.process_tree import ManagedProcess
    child = ManagedProcess([sys.executable, "-c", sys.argv[1]])
    for _ in range(2):
        print(child.read_line(), flush=True)
    print("reaper", child.pid, flush=True)
    time.sleep(600)
    """
)


def alive(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # the second: it ends while it is read
        return False


def wait_gone(*pids: int) -> None:
    wait_until(lambda: not any(map(alive, pids)), 30, f"the end of {pids}")


def start_family() -> tuple[ManagedProcess, int, int]:
    child = ManagedProcess.python("-c", FAMILY)
    named = dict(child.read_line().split() for _ in range(2))
    return child, int(named["parent"]), int(named["grandchild"])


def test_exit_status_and_output_are_returned():
    child = ManagedProcess.python(
        "-c", "import sys; print('out'); sys.stderr.write('err'); sys.exit(7)"
    )
    assert "".join(child.lines()) in ("errout", "outerr")
    assert child.kill() == 7
    assert not child.running()


def test_a_signal_is_returned_as_128_plus_its_number():
    child = ManagedProcess.python("-c", "import os; os.kill(os.getpid(), 9)")
    assert child.wait(10) == 128 + signal.SIGKILL
    child.kill()


def test_a_program_that_does_not_exist_is_reported():
    child = ManagedProcess(["/nowhere/at-all"])
    assert "No such file" in child.read_line()
    assert child.wait(10) == 127
    child.kill()


def test_kill_ends_all_descendants():
    child, parent, grandchild = start_family()
    child.kill()
    wait_gone(parent, grandchild)


def test_terminate_lets_the_program_end_itself():
    code = "import signal, sys; signal.signal(15, lambda *_: sys.exit(3)); print(); signal.pause()"
    child = ManagedProcess.python("-c", code)
    child.read_line()
    child.terminate()
    assert child.wait(10) == 3
    child.kill()


def test_a_program_that_does_not_stop_in_time_is_killed():
    child, parent, grandchild = start_family()
    os.kill(parent, signal.SIGSTOP)
    child.stop(timeout=0.1)
    wait_gone(parent, grandchild)


def test_no_process_remains_when_the_program_dies():
    child, parent, grandchild = start_family()
    os.kill(parent, signal.SIGKILL)
    assert child.wait(10) == 128 + signal.SIGKILL
    wait_gone(parent, grandchild)
    child.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_remains_when_the_starting_process_dies(number: int):
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, FAMILY], stdout=subprocess.PIPE, text=True
    ) as owner:
        named = dict(owner.stdout.readline().split() for _ in range(3))  # type: ignore[misc]
        owner.send_signal(number)
    wait_gone(*map(int, named.values()))


def test_the_program_dies_with_its_reaper():
    child, parent, grandchild = start_family()
    os.kill(child.pid, signal.SIGKILL)
    wait_gone(parent)
    assert child.kill() == -signal.SIGKILL
    os.kill(grandchild, signal.SIGKILL)
    wait_gone(grandchild)


def test_a_process_that_adopts_orphans_can_kill_what_a_dead_reaper_left():
    code = textwrap.dedent(
        """
        import os, sys
        from devtools.process_tree import ManagedProcess, kill_orphans
        from devtools.reaper import adopt_orphans
        adopt_orphans()
        sleeper = "print('other', flush=True); import time; time.sleep(600)"
        other = ManagedProcess.python("-c", sleeper)
        child = ManagedProcess.python("-c", sys.argv[1])
        for one in (other, child, child):
            print(one.read_line(), flush=True)
        os.kill(child.pid, 9)
        child.kill()
        kill_orphans()
        print("other runs", other.running(), flush=True)
        other.kill()
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code, FAMILY], capture_output=True, text=True, timeout=30, check=True
    )
    named = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines()[1:])
    assert named["other runs"] == "True"
    assert not alive(int(named["grandchild"]))
    assert not alive(int(named["parent"]))
