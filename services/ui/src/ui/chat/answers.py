"""Stream one or several replies side by side, and let go of them at once when nobody listens.

Each reply is pumped by a task of its own into a draft; the caller sees the drafts whenever one
grew, and at least every BEAT_SECONDS. So a page that went away is noticed (Gradio closes the
iterator between two looks) even while a model is silent, and the generation upstream stops.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from ui.chat.pace import Pace
from ui.errors import ProblemError
from ui.upstream.backend import Backend
from ui.upstream.serving_calls import ChatRequest

# A page that left is noticed at the next beat; upstream must stop within a second.
BEAT_SECONDS = 0.4
# A healthy server begins within the first; the probe of a silent one may take the second. The
# sum leaves half a second of the promised two to find the words.
PATIENCE_SECONDS = 0.2
PROBE_SECONDS = 1.3
# A server that hangs cannot be told from one that is starved by a training run beside it: the
# reader is told of the silence early, and it is given up late.
GIVE_UP_SECONDS = 15.0
# Faster than a reader sees, slower than tokens come: one redraw for several of them.
REDRAW_SECONDS = 0.04
# A closed page lets go of its connections in any order: by then all of them are known to be gone.
GONE_SECONDS = 0.5
# No reply was begun: how quickly somebody was turned away says nothing of how long replies take.
TURNED_AWAY = frozenset({"rejected", "unavailable"})


@dataclass
class Draft:
    """A reply as far as it has come; `silent` while serving answers nothing at all."""

    request: ChatRequest
    text: str = ""
    silent: bool = False
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
        begun, done, pace = 0, not drafts, Pace()
        while not done:
            await wait_for_growth(grown)
            # What comes first is shown at once; what follows is gathered for one redraw.
            if begun_in(drafts) == begun and grown.is_set():
                await asyncio.sleep(max(REDRAW_SECONDS, pace.pause))
            grown.clear()
            # Looked at before they are shown: what ends meanwhile is shown once more.
            begun, done = begun_in(drafts), all(draft.finished for draft in drafts)
            with pace.drawing():
                yield drafts
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def wait_for_growth(grown: asyncio.Event) -> None:
    """Return when a draft grew, or after a beat."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(grown.wait(), BEAT_SECONDS)


def begun_in(drafts: Sequence[Draft]) -> int:
    """Return how many replies have begun."""
    return sum(bool(draft.text) for draft in drafts)


async def fill(backend: Backend, draft: Draft, grown: asyncio.Event) -> None:
    """Write the reply into `draft`, count it, and say how it ended."""
    metrics, kind = backend.metrics, draft.request.kind
    outcome = "cancelled"
    metrics.in_progress.inc()
    try:
        await pump(backend, draft, grown)
        outcome = "ok"
    except ProblemError as problem:
        draft.problem = problem
        outcome = problem.outcome
    except asyncio.CancelledError:
        asyncio.get_running_loop().call_later(GONE_SECONDS, count_gone, backend, draft.request)
        raise
    finally:
        metrics.in_progress.dec()
        metrics.requests.labels(kind, outcome).inc()
        if outcome not in TURNED_AWAY:
            metrics.duration.labels(kind).observe(time.monotonic() - draft.started)
        draft.finished = True
        grown.set()


def count_gone(backend: Backend, request: ChatRequest) -> None:
    """Count a reply that was cancelled, if nobody is there any more who could have stopped it."""
    if backend.visitors.left(request.session):
        backend.metrics.disconnects.labels(request.kind).inc()


async def pump(backend: Backend, draft: Draft, grown: asyncio.Event) -> None:
    """Write the pieces into `draft` as they come. Raises ProblemError."""
    first_token = backend.metrics.first_token.labels(draft.request.kind)
    async with aclosing(backend.serving.chat(draft.request)) as pieces:
        piece = await first_piece(backend, pieces, draft, grown)
        draft.silent = False
        if piece is not None:
            first_token.observe(time.monotonic() - draft.started)
        while piece is not None:
            draft.text += piece
            grown.set()
            piece = await anext(pieces, None)


async def first_piece(
    backend: Backend, pieces: AsyncGenerator[str, None], draft: Draft, grown: asyncio.Event
) -> str | None:
    """Return the first piece, or None; meanwhile make sure that serving is there at all.

    A process that hangs takes connections and never answers: nothing but a probe beside the
    request tells it from one that is busy with other people's questions.
    """
    first: asyncio.Future[str | None] = asyncio.ensure_future(anext(pieces, None))
    try:
        await asyncio.wait({first}, timeout=PATIENCE_SECONDS)
        if not first.done():
            await watch(backend, first, draft, grown)
        return await first
    finally:
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


async def watch(
    backend: Backend, first: asyncio.Future[str | None], draft: Draft, grown: asyncio.Event
) -> None:
    """Probe until serving answers or the first piece comes, and note a silence in `draft`.

    Raises:
        ProblemError: nobody listens, or the silence lasted GIVE_UP_SECONDS.
    """
    give_up = time.monotonic() + GIVE_UP_SECONDS
    while not first.done():
        problem = await probe(backend, first)
        if problem and (problem.kind == "connect" or time.monotonic() > give_up):
            raise problem
        draft.silent = problem is not None
        grown.set()
        if not problem:
            return


async def probe(backend: Backend, first: asyncio.Future[str | None]) -> ProblemError | None:
    """Return why serving does not answer; None if it does, or once the first piece is there."""
    task = asyncio.create_task(backend.serving.alive(PROBE_SECONDS))
    try:
        racing: set[asyncio.Future[Any]] = {task, first}
        await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    except ProblemError as problem:
        return problem
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return None
