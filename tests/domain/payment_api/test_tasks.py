"""Tasks end, also those that lose a cancellation to a time-out."""

import asyncio

from myukm.domain.payment_api.tasks import cancel_and_wait


async def stubborn(times: int) -> None:
    """Lose so many cancellations, as a time-out of the same moment does."""
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            times -= 1
            if times < 0:
                raise


async def failing() -> None:
    raise ValueError("nobody asks")


def test_every_task_ends_whatever_it_does() -> None:
    async def play() -> list[bool]:
        tasks = [asyncio.create_task(stubborn(n)) for n in range(3)]
        tasks.append(asyncio.create_task(failing()))
        await asyncio.sleep(0)
        await cancel_and_wait(tasks)
        return [task.done() for task in tasks]

    assert asyncio.run(asyncio.wait_for(play(), 10)) == [True] * 4


def test_nothing_to_end() -> None:
    asyncio.run(cancel_and_wait([]))
