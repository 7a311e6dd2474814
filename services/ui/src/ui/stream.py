"""Read a streamed chat completion: server-sent events in, pieces of text out (pure)."""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from ui.errors import ProblemError

DONE = "[DONE]"


async def text_pieces(lines: AsyncIterator[str]) -> AsyncGenerator[str, None]:
    """Yield the pieces of text in the events of `lines`, until `[DONE]`.

    Raises:
        ProblemError: an event is no JSON or reports an error, or the stream ends too early.
    """
    async for line in lines:
        if not line.startswith("data:"):
            continue  # comments that keep the connection alive, event names, blank lines
        data = line.removeprefix("data:").strip()
        if data == DONE:
            return
        if piece := piece_of(data):
            yield piece
    raise ProblemError("serving", "stream_broken")


def piece_of(data: str) -> str:
    """Return the text that one event adds, or nothing. Raises ProblemError."""
    try:
        event: Any = json.loads(data)
    except ValueError as error:
        raise ProblemError("serving", "stream_broken") from error
    if not isinstance(event, dict):
        raise ProblemError("serving", "stream_broken")
    if "error" in event:
        raise ProblemError("serving", "http_5xx", error_message(event))
    choices = event.get("choices") or [{}]
    content = (choices[0].get("delta") or {}).get("content")
    return content if isinstance(content, str) else ""


def error_code(body: Any) -> str:
    """Return the code in an error body of ours or of OpenAI's shape, or nothing."""
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else ""


def error_message(body: Any) -> str:
    """Return the sentence in an error body of ours or of OpenAI's shape, or nothing."""
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return message[:300] if isinstance(message, str) else ""
