"""The garbage collector while a process starts."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def frozen() -> Iterator[None]:
    """Do not collect garbage inside the block, and never examine the objects that exist at its end.

    Imports make hundreds of thousands of objects that stay until the process ends. The collector
    would examine all of them several times during the start and once more at the exit, which is a
    large part of a command's CPU time. It also writes into each object that it examines, so that
    forks would copy the memory that they share.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
