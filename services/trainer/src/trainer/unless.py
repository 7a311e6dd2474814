"""Work that is given up as soon as nobody wants it any more."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

POLL_SECONDS = 0.2  # how soon it is seen
Result = TypeVar("Result")


async def unless(unwanted: Callable[[], bool], work: Coroutine[Any, Any, Result]) -> Result | None:
    """Return what `work` does; None where it is unwanted before. Raises what it raises.

    Args:
        unwanted: asked again and again; nothing of `work` goes on after it has said yes.
        work: started at once.
    """
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=POLL_SECONDS))[0]:
            if unwanted():
                return None
        return await task
    finally:
        task.cancel()
        await asyncio.wait({task})
