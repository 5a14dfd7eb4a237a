"""`flask upgrade`: pulls the new code into this checkout, migrates the tables, restarts the
services, and goes back to the old code when a step fails.

Every step runs a command in a process of its own, as the service's account, because the upgrade
replaces the files of this process's code. After that, this process must import nothing.
"""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flask_babel import gettext as _

from config import ROOT
from myukm.db.versions import newest_migration
from myukm.errors import Conflict
from myukm.ops.deployment import systemd

FREE_BYTES = 500_000_000
CHECK_SECONDS, PAUSE_SECONDS = 60.0, 2.0
MAX_COMPLAINT, DOCTOR = 300, "./run queue doctor"
MIGRATIONS, UNITS = "myukm/migrations/versions", "deploy"
# Findings with which a backup or a migration would fail.
OBSTACLES = ("migrations", "database_unreachable", "database_readonly", "database_full")

Say = Callable[[str], None]


@dataclass
class Upgrade:
    """One upgrade: `folder` is for the backup, `say` prints a line, `old` and `new` are revisions.

    `broken_before` are the codes of the findings of level "broken" that the doctor reported before
    the upgrade. Only others are blamed on the new code.
    """

    say: Say
    folder: Path
    account: str = field(default_factory=ROOT.owner)
    migration: str = field(default_factory=newest_migration)
    old: str = ""
    new: str = ""
    broken_before: frozenset[str] = frozenset()
    services: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Do all steps. Raises `Conflict` with what failed and which commands to type."""
        self._check()
        if self.old == self.new:
            self.say(_("Sudah yang terbaru (%(revision)s).", revision=self.old[:10]))
            # The services still run the old code if somebody pulled by hand, and nothing shows it.
            command = self._restart_command(" ".join(self.services))
            self.say(_("Kalau kodenya diambil dengan tangan: %(command)s", command=command))
            return
        self.say(_("1/4 mencadangkan ke %(folder)s …", folder=self.folder))
        self._must("./run", "backup", "--into", str(self.folder))
        self.say(_("2/4 memasang %(revision)s dan memigrasi …", revision=self.new[:10]))
        self._must("git", "merge", "--ff-only", "--quiet", self.new)
        self._migrate()
        self.say(_("3/4 memulai ulang layanan …"))
        try:
            for service in self.services or [""]:
                self._restart(service)
        except Conflict as error:
            self._back_out(str(error))
        self.say(_("4/4 memeriksa …"))
        self._require_health()
        self.say(_("Selesai: %(old)s → %(new)s.", old=self.old[:10], new=self.new[:10]))

    def _check(self) -> None:
        if changed := self._must("git", "status", "--porcelain", "--untracked-files=no"):
            text = _("Ada perubahan yang belum disimpan: %(files)s. Jalankan: %(command)s")
            files, command = " ".join(changed.split()), self._typed("git stash")
            raise Conflict(text % {"files": files, "command": command})
        self._must("git", "fetch", "--quiet")
        self.old = self._must("git", "rev-parse", "HEAD")
        self.new = self._must("git", "rev-parse", "@{upstream}")
        base = self._must("git", "merge-base", self.old, self.new)
        if base != self.old:
            text = _(
                "Ada commit di sini yang tidak ada di upstream (%(log)s). "
                "Kirim: %(push)s; atau pindahkan: %(move)s"
            )
            typed = ("git log @{upstream}..", "git push", "git branch local-commits")
            log, push, *move = map(self._typed, (*typed, f"git reset --keep {base}"))
            raise Conflict(text % {"log": log, "push": push, "move": " && ".join(move)})
        where = next(each for each in (self.folder, *self.folder.parents) if each.exists())
        if shutil.disk_usage(where).free < FREE_BYTES:
            raise Conflict(_("Ruang disk di %(folder)s kurang dari 500 MB.", folder=where))
        self.broken_before = self._broken()
        if found := self.broken_before.intersection(OBSTACLES):
            text = _("Betulkan dulu (%(codes)s): %(command)s")
            codes = ", ".join(sorted(found))
            raise Conflict(text % {"codes": codes, "command": self._typed(DOCTOR)})
        self.services = _running_services()

    def _migrate(self) -> None:
        done = self._as_account("./run", "db", "upgrade")
        if done.returncode == 0:
            return
        why = _shortened(done.stderr)
        self._as_account("./run", "db", "downgrade", self.migration)
        self._take_back(why, self._downgrade)
        if self._broken() <= self.broken_before:
            text = _("Migrasi gagal, semuanya kembali ke %(revision)s: %(why)s")
            raise Conflict(text % {"revision": self.old[:10], "why": why})
        self._by_hand("./run restore " + _("BERKAS"))
        text = _("Migrasi gagal di tengah jalan; kode sudah kembali, tabelnya belum: %(why)s")
        raise Conflict(text % {"why": why})

    def _restart(self, service: str) -> None:
        """Restart a service; with "", as where systemd runs none, only the workers."""
        if service:
            systemd.systemctl("restart", service)
        else:
            self.say(self._must("./run", "queue", "restart"))
            self.say(_("Mulai ulang server web dengan pengawasnya."))

    def _require_health(self) -> None:
        deadline = time.monotonic() + CHECK_SECONDS
        while new := self._broken() - self.broken_before:
            if time.monotonic() > deadline:
                self._back_out(", ".join(sorted(new)))
            time.sleep(PAUSE_SECONDS)
        if self._differs(UNITS):
            self.say(_("Unit atau situs di deploy/ berubah; jalankan juga: ./run install"))

    def _back_out(self, why: str) -> None:
        """Go back to the old code if the upgrade changed no table; else print the commands for it.
        Raises `Conflict` in both cases."""
        if self._differs(MIGRATIONS):
            self._by_hand(self._downgrade)
            raise Conflict(self._broken_since(why))
        self._take_back(why)
        self._broken()  # because `./run` installs what the old code requires into .venv
        failed = []
        for service in self.services or [""]:
            try:
                self._restart(service)
            except Conflict as error:
                why = f"{why}; {error}"
                failed.append(self._restart_command(service))
        if failed:
            self._say_commands(*failed)
            text = _("Rusak sejak pembaruan (%(why)s); hanya kodenya kembali ke %(revision)s.")
        else:
            text = _("Rusak sejak pembaruan (%(why)s); semuanya kembali ke %(revision)s.")
        raise Conflict(text % {"why": why, "revision": self.old[:10]})

    def _take_back(self, why: str, *commands: str) -> None:
        """Check the old code out. If git fails, print what to type, with `commands` before git's,
        and raise `Conflict`."""
        try:
            self._must("git", "reset", "--keep", "--quiet", self.old)
        except Conflict as error:
            self._by_hand(*commands)
            raise Conflict(self._broken_since(f"{why}; {error}")) from None

    @property
    def _downgrade(self) -> str:
        return f"./run db downgrade {self.migration}"

    def _by_hand(self, *commands: str) -> None:
        """Print the commands for going back by hand: `commands` while the services are stopped."""
        names = " ".join(self.services)
        self._say_commands(
            *((f"systemctl stop {names}",) if names else ()),
            *map(self._typed, commands),
            self._typed(f"git reset --keep {self.old}"),
            self._typed(DOCTOR),  # installs the old requirements
            *((f"systemctl start {names}",) if names else ()),
        )

    def _say_commands(self, *commands: str) -> None:
        self.say(_("Untuk kembali, ketik:"))
        for command in commands:
            self.say(f"  {command}")

    def _broken_since(self, why: str) -> str:
        command = self._typed(DOCTOR)
        text = _("Rusak sejak pembaruan: %(why)s. %(command)s", why=why, command=command)
        return str(text)

    def _restart_command(self, services: str) -> str:
        return f"systemctl restart {services}" if services else self._typed("./run queue restart")

    def _typed(self, command: str) -> str:
        """Return the command as the administrator must type it: like this process, root acts as the
        account, because otherwise git refuses and files would belong to root."""
        return " ".join((*systemd.becoming(self.account), command))

    def _differs(self, path: str) -> bool:
        """Return whether the upgrade changes files under `path`."""
        argv = ("git", "diff", "--quiet", self.old, self.new, "--", path)
        return self._as_account(*argv).returncode != 0

    def _broken(self) -> frozenset[str]:
        """Return the codes of the doctor's broken findings. If the doctor itself fails, its error
        text counts as the only code."""
        done = self._as_account("./run", "queue", "doctor", "--json")
        try:
            findings = json.loads(done.stdout)["findings"]
        except (ValueError, KeyError):
            return frozenset({_shortened(done.stderr) or "doctor"})
        return frozenset(each["code"] for each in findings if each["level"] == "broken")

    def _must(self, *argv: str) -> str:
        """Run a command and return what it printed. Raises `Conflict` with its error output if it
        fails."""
        done = self._as_account(*argv)
        if done.returncode:
            complaint = _shortened(done.stderr or done.stdout)
            raise Conflict(f"{' '.join(argv)}: {complaint}", code="upgrade_step")
        return done.stdout.strip()

    def _as_account(self, *argv: str) -> systemd.Done:
        return systemd.as_account(self.account, *argv, cwd=ROOT)


def _shortened(text: str) -> str:
    """Return the text in one line. What is too long loses its middle, because git says first what
    is wrong, and a traceback last."""
    line, half = " ".join(text.split()), MAX_COMPLAINT // 2
    return line if len(line) <= MAX_COMPLAINT else f"{line[:half]} … {line[-half:]}"


def _running_services() -> list[str]:
    """Return the services that this process may restart, workers first."""
    if os.geteuid() != 0 or not systemd.runs():
        return []
    asked = ("systemctl", "list-units", "--plain", "--no-legend", "--state=running")
    lines = systemd.output_of(*asked, "myukm-worker@*", "myukm-web*").splitlines()
    return sorted((line.split()[0] for line in lines if line.strip()), key=lambda n: "web" in n)
