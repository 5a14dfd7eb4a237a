"""A disk that does not answer, like a network share whose server is gone."""

import os
import subprocess
from pathlib import Path
from typing import Self

import pytest


class HungDisk:
    """A FUSE file system at `place` whose program reads no request, so that each access blocks.

    At the end blocked accesses fail, and `place` is an empty folder of the disk below. Skips the
    test without FUSE or without root.
    """

    def __init__(self, place: Path) -> None:
        self.place = place

    def __enter__(self) -> Self:
        self.place.mkdir()
        try:
            self._device = os.open("/dev/fuse", os.O_RDWR)
        except OSError:
            pytest.skip("no /dev/fuse, or no right to open it")
        options = f"fd={self._device},rootmode=40000,user_id=0,group_id=0"
        mount = ["mount", "-i", "-t", "fuse", "-o", options, "hung", str(self.place)]
        done = subprocess.run(mount, check=False, capture_output=True, pass_fds=[self._device])
        if done.returncode:
            os.close(self._device)
            pytest.skip(f"cannot mount a FUSE file system: {done.stderr.decode().strip()}")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._device)
        subprocess.run(["umount", "-l", str(self.place)], check=True)
