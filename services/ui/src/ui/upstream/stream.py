"""Read a streamed chat completion: server-sent events in, pieces of text out (pure)."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from ui.errors import ProblemError

DONE = "[DONE]"


@dataclass(frozen=True)
class Usage:
    """Tokens of one request, as serving counted them."""

    input: int = 0
    output: int = 0


def forget(_: Usage) -> None:
    """Do nothing with a usage."""


async def text_pieces(
    lines: AsyncIterator[str], on_usage: Callable[[Usage], None] = forget
) -> AsyncGenerator[str, None]:
    """Yield the pieces of text in the events of `lines`, until `[DONE]`.

    Args:
        lines: of the response.
        on_usage: gets the tokens where an event names them, near the end of a stream.

    Raises:
        ProblemError: an event is no JSON or reports an error, or the stream ends too early.
    """
    async for line in lines:
        if not line.startswith("data:"):
            continue  # comments that keep the connection alive, event names, blank lines
        data = line.removeprefix("data:").strip()
        if data == DONE:
            return
        event = event_of(data)
        if used := usage_of(event):
            on_usage(used)
        if piece := piece_of(event):
            yield piece
    raise ProblemError("serving", "stream_broken")


def event_of(data: str) -> dict[str, Any]:
    """Return one event. Raises ProblemError where it is none, or reports an error."""
    try:
        event: Any = json.loads(data)
    except ValueError as error:
        raise ProblemError("serving", "stream_broken") from error
    if not isinstance(event, dict):
        raise ProblemError("serving", "stream_broken")
    if "error" in event:
        raise ProblemError("serving", "http_5xx", error_message(event))
    return event


def usage_of(event: dict[str, Any]) -> Usage | None:
    """Return the tokens that an event names, or None."""
    usage = event.get("usage")
    if not isinstance(usage, dict):
        return None
    return Usage(whole(usage.get("prompt_tokens")), whole(usage.get("completion_tokens")))


def whole(value: Any) -> int:
    """Return `value` as a number of tokens; 0 where it is none."""
    return value if isinstance(value, int) and value > 0 else 0


def piece_of(event: dict[str, Any]) -> str:
    """Return the text that one event adds, or nothing."""
    choices = event.get("choices") or [{}]
    content = (choices[0].get("delta") or {}).get("content")
    return content if isinstance(content, str) else ""


def error_code(body: Any) -> str:
    """Return the code in an error body of ours or of OpenAI's shape, or nothing."""
    return error_part(body, "code")


def error_part(body: Any, name: str) -> str:
    """Return a named text in an error body (code, field, hint), shortened; or nothing."""
    error = body.get("error") if isinstance(body, dict) else None
    found = error.get(name) if isinstance(error, dict) else None
    return found[:300] if isinstance(found, str) else ""


def error_message(body: Any) -> str:
    """Return the sentence in an error body of ours or of OpenAI's shape, or nothing."""
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    return message[:300] if isinstance(message, str) else ""
