"""Runs commands of this machine: systemd's, and commands as the service's account."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from flask_babel import gettext as _

from myukm.errors import Conflict, Forbidden, Invalid

Done = subprocess.CompletedProcess[str]


def require_root() -> None:
    """Raise `Forbidden` unless this process may write units and start services."""
    if os.geteuid() != 0:
        raise Forbidden(
            _(
                "Hanya root yang dapat memasang layanan. Jalankan dengan sudo, atau lihat unitnya "
                "dengan ./run install --print."
            )
        )


def require_systemd() -> None:
    """Raise `Conflict` where systemd does not run the services, as in a container."""
    if not runs():
        raise Conflict(
            _(
                "systemd tidak berjalan di mesin ini. Jalankan ./run web dan ./run worker dengan "
                "pengawas proses yang ada (unitnya: ./run install --print) atau compose.yaml."
            ),
            code="no_systemd",
        )


def runs() -> bool:
    """Return whether systemd runs this machine's services."""
    if not shutil.which("systemctl"):
        return False
    return output_of("systemctl", "is-system-running") not in ("offline", "unknown", "")


def account_of(name: str | None, folder: Path) -> pwd.struct_passwd:
    """Return the account for the services: the account `name`, else the folder's owner, but `myukm`
    if root owns the folder. Raises `Invalid` if the account does not exist or is root."""
    owner = folder.stat().st_uid
    try:
        found = pwd.getpwnam(name or "myukm") if name or owner == 0 else pwd.getpwuid(owner)
    except KeyError:
        missing = name or "myukm"
        raise Invalid(
            _(
                "Pengguna %(name)s tidak ada. Buat dulu: adduser --system --group "
                "--home %(folder)s --no-create-home %(name)s && chown -R %(name)s: %(folder)s",
                name=missing,
                folder=folder,
            ),
            code="no_account",
        ) from None
    if found.pw_uid == 0:
        raise Invalid(
            _("Layanan tidak dijalankan sebagai root; sebut pengguna lain dengan --user."),
            code="root_account",
        )
    return found


def systemctl(*words: str) -> None:
    """Run systemctl. Raises `Conflict` with its error output if it fails."""
    done = run("systemctl", *words)
    if done.returncode:
        complaint = " ".join((done.stderr or done.stdout).split())
        raise Conflict(f"systemctl {' '.join(words)}: {complaint}", code="systemctl")


def as_account(account: str, *argv: str, cwd: Path) -> Done:
    """Run a command as `account` if this process is root, else as the current account."""
    return run(*becoming(account), *argv, cwd=cwd)


def becoming(account: str) -> tuple[str, ...]:
    """Return the words before a command with which root runs it as `account`; none for others."""
    if os.geteuid() == 0 and account != "root":
        return ("runuser", "-u", account, "--")
    return ()


def run(*argv: str, cwd: Path | None = None) -> Done:
    """Run a command to its end and return its exit status and output; the status is 127 if the
    command does not exist."""
    try:
        return subprocess.run(argv, check=False, capture_output=True, text=True, cwd=cwd)
    except FileNotFoundError as error:
        return subprocess.CompletedProcess(argv, 127, "", f"{error.filename}: {error.strerror}")


def output_of(*argv: str) -> str:
    """Return what a command printed."""
    return run(*argv).stdout.strip()
