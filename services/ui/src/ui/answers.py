"""Stream one or several replies side by side, and let go of them at once when nobody listens.

Each reply is pumped by a task of its own into a draft; the caller sees the drafts whenever one
grew, and at least every BEAT_SECONDS. So a page that went away is noticed (Gradio closes the
iterator between two looks) even while a model is silent, and the generation upstream stops.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from ui.backend import Backend, ChatRequest
from ui.errors import ProblemError

# A page that left is noticed at the next beat; upstream must stop within a second.
BEAT_SECONDS = 0.4
# A healthy server begins within the first; the probe of a silent one may take the second. The
# sum leaves half a second of the promised two to find the words.
PATIENCE_SECONDS = 0.2
PROBE_SECONDS = 1.3
# Faster than a reader sees, slower than tokens come: one redraw for several of them.
REDRAW_SECONDS = 0.04


@dataclass
class Draft:
    """A reply as far as it has come."""

    request: ChatRequest
    text: str = ""
    problem: ProblemError | None = None
    started: float = field(default_factory=time.monotonic)
    finished: bool = False


async def stream_replies(
    backend: Backend, requests: Sequence[ChatRequest]
) -> AsyncGenerator[list[Draft], None]:
    """Yield the drafts of all replies as they grow; the last time, all are finished.

    A reply that fails carries its problem and leaves the others alone.
    """
    drafts = [Draft(request) for request in requests]
    grown = asyncio.Event()
    tasks = [asyncio.create_task(fill(backend, draft, grown)) for draft in drafts]
    try:
        yield drafts
        while not all(draft.finished for draft in drafts):
            await wait_for_growth(grown)
            yield drafts
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def wait_for_growth(grown: asyncio.Event) -> None:
    """Return when a draft grew, a little later to gather more, or after a beat."""
    try:
        await asyncio.wait_for(grown.wait(), BEAT_SECONDS)
    except TimeoutError:
        return
    await asyncio.sleep(REDRAW_SECONDS)
    grown.clear()


async def fill(backend: Backend, draft: Draft, grown: asyncio.Event) -> None:
    """Write the reply into `draft`, count it, and say how it ended."""
    metrics, kind = backend.metrics, draft.request.kind
    outcome = "cancelled"
    metrics.in_progress.inc()
    try:
        async with aclosing(answer(backend, draft.request)) as pieces:
            async for piece in pieces:
                if not draft.text:
                    metrics.first_token.labels(kind).observe(time.monotonic() - draft.started)
                draft.text += piece
                grown.set()
        outcome = "ok"
    except ProblemError as problem:
        draft.problem = problem
        outcome = "error"
    finally:
        metrics.in_progress.dec()
        metrics.requests.labels(kind, outcome).inc()
        metrics.duration.labels(kind).observe(time.monotonic() - draft.started)
        draft.finished = True
        grown.set()


async def answer(backend: Backend, request: ChatRequest) -> AsyncGenerator[str, None]:
    """Yield the reply; if serving is silent, first make sure that it is there at all.

    A process that hangs takes connections and never answers: waiting for its first piece would
    take a minute. A probe beside the request tells a hung server (2 s) from a busy one.
    """
    async with aclosing(backend.chat(request)) as pieces:
        first = asyncio.ensure_future(anext(pieces, None))
        try:
            done, _ = await asyncio.wait({first}, timeout=PATIENCE_SECONDS)
            if not done:
                await backend_lives(backend, first)
            piece = await first
        finally:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
        while piece is not None:
            yield piece
            piece = await anext(pieces, None)


async def backend_lives(backend: Backend, first: "asyncio.Future[str | None]") -> None:
    """Raise ProblemError if serving does not answer the probe before the first piece comes."""
    probe = asyncio.create_task(backend.alive(PROBE_SECONDS))
    try:
        racing: set[asyncio.Future[Any]] = {probe, first}
        await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
        if probe.done():
            probe.result()
    finally:
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
