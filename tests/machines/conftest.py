"""Hosts in network namespaces, which only root on Linux can make."""

import os
import shutil
import sys
from collections.abc import Iterator

import pytest

from tests.machines.campus import Machines
from tests.support import namespaces
from tests.support.servers import need, open_folder


@pytest.fixture(scope="module")
def network_namespace() -> Iterator[None]:
    """A network of this test module alone."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("network namespaces: only root on Linux may make them")
    need(shutil.which("ip"), "iproute2")
    try:
        apart = namespaces.new()
        apart.__enter__()
    except OSError as error:
        pytest.skip(f"network namespaces: {error}")
    yield
    apart.__exit__(None, None, None)


@pytest.fixture(scope="module")
def machines(network_namespace: None) -> Iterator[Machines]:
    """A campus on several machines, for the tests of one module."""
    with open_folder() as folder:
        made = Machines(folder)
        try:
            yield made.start()
        finally:
            made.stop()
