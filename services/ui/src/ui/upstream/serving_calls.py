"""What the page asks of serving: its models, whether it is there, and replies as a stream."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx

from contracts.artefact import ServingStatus
from contracts.model import Recorded
from contracts.sample import Message
from ui.errors import ProblemError
from ui.upstream.calls import QUICK_SECONDS, Calls, failure_kind
from ui.upstream.stream import Usage, text_pieces

# Silence between two pieces of a reply, and before the first: a busy CPU serves one at a time.
STREAM_SECONDS = 60.0


class ModelList(Recorded):
    """What the page reads of `GET /v1/models`."""

    class Entry(Recorded):
        """One model that answers."""

        id: str

    data: list[Entry]


@dataclass(frozen=True)
class ChatRequest:
    """One question to one model.

    `kind` (base or tuned) is its label in the metrics, `session` the page or program that asks.
    """

    model: str
    messages: tuple[Message, ...]
    temperature: float
    max_tokens: int
    kind: str = "tuned"
    session: str = ""
    top_p: float | None = None
    seed: int | None = None

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the request; what is left open is the server's to choose."""
        chosen = {"top_p": self.top_p, "seed": self.seed}
        return {
            **{name: value for name, value in chosen.items() if value is not None},
            "model": self.model,
            "messages": [message.model_dump() for message in self.messages],
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }


class ServingCalls:
    """The OpenAI API that is chatted with, and its launcher.

    Args:
        calls: the way to the API.
        control: the way to the launcher.
    """

    def __init__(self, calls: Calls, control: Calls) -> None:
        self.calls = calls
        self.control = control

    async def models(self) -> list[str]:
        """Return the names that serving answers to. Raises ProblemError."""
        found = await self.calls.get("/v1/models", ModelList)
        return [entry.id for entry in found.data]

    async def status(self, seconds: float = QUICK_SECONDS) -> ServingStatus:
        """Return how serving's launcher is. Raises ProblemError."""
        return await self.control.get("/status", ServingStatus, seconds=seconds)

    async def alive(self, seconds: float) -> None:
        """Return if serving answers at all within `seconds`. Raises ProblemError."""
        try:
            await self.calls.http.get(f"{self.calls.url}/health", timeout=seconds)
        except httpx.HTTPError as error:
            raise self.calls.problem(failure_kind(error)) from error

    async def chat(self, request: ChatRequest) -> AsyncGenerator[str, None]:
        """Yield the reply piece by piece; closing the iterator stops the generation.

        Raises:
            ProblemError: serving refuses, is gone, or breaks off.
        """
        calls, tokens = self.calls, self.calls.metrics.tokens
        timeout = httpx.Timeout(STREAM_SECONDS, connect=QUICK_SECONDS)
        url = f"{calls.url}/v1/chat/completions"

        def count(used: Usage) -> None:
            tokens.labels(request.kind, "input").inc(used.input)
            tokens.labels(request.kind, "output").inc(used.output)

        try:
            async with calls.http.stream(
                "POST", url, json=request.body(), headers=calls.asking, timeout=timeout
            ) as response:
                if response.is_error:
                    await response.aread()
                    raise calls.refusal(response)
                async with aclosing(self.counted(response, count)) as pieces:
                    async for piece in pieces:
                        yield piece
        except httpx.HTTPError as error:
            raise calls.problem(failure_kind(error)) from error

    async def counted(
        self, response: httpx.Response, count: Callable[[Usage], None]
    ) -> AsyncGenerator[str, None]:
        """Yield the pieces of a streamed response. Raises ProblemError, which is counted."""
        try:
            async with aclosing(text_pieces(response.aiter_lines(), count)) as pieces:
                async for piece in pieces:
                    yield piece
        except ProblemError as error:
            raise self.calls.problem(error.kind, error.detail) from error
