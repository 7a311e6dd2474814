"""Messages that Gradio's queue does not take, because too many wait already: counted as such."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import gradio as gr

from ui.api import MODEL_PLACE
from ui.catalog import label_of
from ui.chat.turns import Turns
from ui.metrics import UiMetrics
from ui.tabs.chat.dialogue import Dialogue

FULL = "queue_full"
Answer = tuple[bool, Any, str]
Push = Callable[..., Awaitable[Answer]]


def watch_queue(blocks: gr.Blocks, metrics: UiMetrics, sessions: Callable[[], float]) -> None:
    """Count what the queue of `blocks` refuses, and show its length at each scrape."""
    queue = blocks._queue
    push: Push = queue.push

    async def counted(body: Any, request: Any, username: str | None) -> Answer:
        answer = await push(body=body, request=request, username=username)
        if answer[2] == FULL:
            for name in asked_models(blocks, body.fn_index, body.data):
                metrics.requests.labels(label_of(name), "rejected").inc()
        return answer

    # The page is told 503 by Gradio's own route, from where nothing else could be counted.
    queue.push = counted  # type: ignore[method-assign,assignment]
    metrics.watch(queue.__len__, sessions)


def asked_models(blocks: gr.Blocks, index: int, data: Sequence[Any]) -> list[Any]:
    """Return the names of the models that an event would have asked."""
    function = blocks.fns[index]
    owner = getattr(function.fn, "__self__", None)
    if isinstance(owner, Turns | Dialogue):
        return owner.models_in(data)
    return list(data[MODEL_PLACE : MODEL_PLACE + 1]) or [None]
