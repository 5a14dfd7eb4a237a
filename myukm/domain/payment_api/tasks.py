"""Cancel asyncio tasks reliably."""

import asyncio
from collections.abc import Iterable
from typing import Any

RETRY_SECONDS = 0.1


async def cancel_and_wait(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and return when all have ended, whatever came of them.

    A task is cancelled until it ends: a time-out that strikes at the same moment swallows a
    cancellation, as for every request that was under way in a process that stood still.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=RETRY_SECONDS)
        for task in ended:
            if not task.cancelled():
                task.exception()
