"""Asynchronous HTTP clients of the other services: short questions, and one streamed answer.

The clients of `libs/client` are for programs that may block; a page serves many people at once,
and closing its side of a stream must stop the generation, so it keeps these few calls of its own.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from contracts.artefact import CurrentModel, ModelManifest, ServingStatus
from contracts.gpu import GpuReport
from contracts.job import Job
from contracts.model import Recorded
from contracts.run import RunEvent, RunRecord
from contracts.sample import Message
from contracts.style import StyleVersion
from contracts.votes import Vote
from kit.config import read_secret
from ui.config import UiSettings
from ui.errors import Kind, Outcome, ProblemError, Upstream
from ui.metrics import UiMetrics
from ui.stream import Usage, error_code, error_message, text_pieces
from ui.visitors import Visitors

Answer = TypeVar("Answer")
# How long a service may take to say what it has.
QUICK_SECONDS = 1.5
# Silence between two pieces of a reply, and before the first: a busy CPU serves one at a time.
STREAM_SECONDS = 60.0
# A connection for each call: one kept open may be closed by the other side (uvicorn does after
# 5 s) in the moment in which a question is sent on it, and the question would be lost.
LIMITS = httpx.Limits(max_keepalive_connections=0)
BUSY = frozenset({429, 503})
# What serving answers while a training run has the GPU, and while it ends: announced, no failure.
TRAINING, DRAINING = "training", "draining"


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

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the request."""
        return {
            "model": self.model,
            "messages": [message.model_dump() for message in self.messages],
            "temperature": self.temperature,
            "max_tokens": self.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }


class Backend:
    """The services behind the page.

    Args:
        settings: their addresses.
        metrics: counts their failures.
        transport: for tests; the network by default.
    """

    def __init__(
        self,
        settings: UiSettings,
        metrics: UiMetrics,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self.metrics = metrics
        self.visitors = Visitors()
        key = read_secret(settings.serving_api_key_file)
        self.serving_headers = {"Authorization": f"Bearer {key}"} if key else {}
        token = read_secret(settings.api_token_file)
        self.intent_headers = {"Authorization": f"Bearer {token}"} if token else {}
        # trust_env: a proxy from the environment must not come between neighbours.
        self.http = httpx.AsyncClient(transport=transport, limits=LIMITS, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def served_models(self) -> list[str]:
        """Return the names that serving answers to. Raises ProblemError."""
        url = f"{self.settings.serving_url}/v1/models"
        found = await self.ask("serving", url, ModelList, headers=self.serving_headers)
        return [entry.id for entry in found.data]

    async def launcher_status(self, seconds: float = QUICK_SECONDS) -> ServingStatus:
        """Return how serving's launcher is. Raises ProblemError."""
        url = f"{self.settings.serving_control_url}/status"
        return await self.ask("control", url, ServingStatus, seconds=seconds)

    async def current_model(self) -> CurrentModel:
        """Return what the trainer wants served. Raises ProblemError."""
        return await self.ask("trainer", f"{self.settings.trainer_url}/current", CurrentModel)

    async def manifest(self, model_id: str) -> ModelManifest:
        """Return the manifest of a published model. Raises ProblemError."""
        url = f"{self.settings.trainer_url}/models/{model_id}"
        return await self.ask("trainer", url, ModelManifest)

    async def run_job(self, run_id: str) -> Job:
        """Return the job of a training run. Raises ProblemError."""
        return await self.ask("trainer", f"{self.settings.trainer_url}/runs/jobs/{run_id}", Job)

    async def runs(self) -> list[RunRecord]:
        """Return what every training run says of itself, the newest first. Raises ProblemError."""
        return await self.ask("trainer", f"{self.settings.trainer_url}/runs", list[RunRecord])

    async def run_log(self, run_id: str) -> list[RunEvent]:
        """Return the events of a run, in the order of its steps. Raises ProblemError."""
        url = f"{self.settings.trainer_url}/runs/{run_id}/log"
        return await self.ask("trainer", url, list[RunEvent])

    async def gpus(self) -> GpuReport:
        """Return every GPU that the trainer has seen. Raises ProblemError."""
        return await self.ask("trainer", f"{self.settings.trainer_url}/gpus", GpuReport)

    async def styles(self) -> list[StyleVersion]:
        """Return datagen's library of styles. Raises ProblemError."""
        return await self.ask("datagen", f"{self.settings.datagen_url}/styles", list[StyleVersion])

    async def post_vote(self, vote: Vote) -> None:
        """Tell datagen what a person thinks of a reply; twice is as good as once.

        Raises ProblemError; its `status` is among its values where datagen answered.
        """
        url, body = f"{self.settings.datagen_url}/votes", vote.model_dump(mode="json")
        try:
            response = await self.http.post(
                url, json=body, headers=self.intent_headers, timeout=QUICK_SECONDS
            )
        except httpx.HTTPError as error:
            raise self.problem("datagen", failure_kind(error)) from error
        if response.is_error:
            raise self.refusal("datagen", response)

    async def alive(self, seconds: float) -> None:
        """Return if serving answers at all within `seconds`. Raises ProblemError."""
        try:
            await self.http.get(f"{self.settings.serving_url}/health", timeout=seconds)
        except httpx.HTTPError as error:
            raise self.problem("serving", failure_kind(error)) from error

    async def ask(
        self,
        upstream: Upstream,
        url: str,
        kind: type[Answer],
        *,
        headers: Any = None,
        seconds: float = QUICK_SECONDS,
    ) -> Answer:
        """Return what `GET url` answers within `seconds`, as `kind`. Raises ProblemError."""
        try:
            response = await self.http.get(url, headers=headers, timeout=seconds)
        except httpx.HTTPError as error:
            raise self.problem(upstream, failure_kind(error)) from error
        if response.is_error:
            raise self.refusal(upstream, response)
        try:
            return TypeAdapter(kind).validate_json(response.content)
        except ValidationError as error:
            raise self.problem(upstream, "stream_broken") from error

    async def chat(self, request: ChatRequest) -> AsyncGenerator[str, None]:
        """Yield the reply piece by piece; closing the iterator stops the generation.

        Raises:
            ProblemError: serving refuses, is gone, or breaks off.
        """
        timeout = httpx.Timeout(STREAM_SECONDS, connect=QUICK_SECONDS)
        url = f"{self.settings.serving_url}/v1/chat/completions"

        def count(used: Usage) -> None:
            self.metrics.tokens.labels(request.kind, "input").inc(used.input)
            self.metrics.tokens.labels(request.kind, "output").inc(used.output)

        try:
            async with self.http.stream(
                "POST", url, json=request.body(), headers=self.serving_headers, timeout=timeout
            ) as response:
                if response.is_error:
                    await response.aread()
                    raise self.refusal("serving", response)
                async with aclosing(self.counted(response, count)) as pieces:
                    async for piece in pieces:
                        yield piece
        except httpx.HTTPError as error:
            raise self.problem("serving", failure_kind(error)) from error

    async def counted(
        self, response: httpx.Response, count: Callable[[Usage], None]
    ) -> AsyncGenerator[str, None]:
        """Yield the pieces of a streamed response. Raises ProblemError, which is counted."""
        try:
            async with aclosing(text_pieces(response.aiter_lines(), count)) as pieces:
                async for piece in pieces:
                    yield piece
        except ProblemError as error:
            raise self.problem("serving", error.kind, error.detail) from error

    def problem(self, upstream: Upstream, kind: Kind, detail: str = "") -> ProblemError:
        """Count a failed call and return the error to raise."""
        self.metrics.upstream_errors.labels(upstream, kind).inc()
        return ProblemError(upstream, kind, detail)

    def refusal(self, upstream: Upstream, response: httpx.Response) -> ProblemError:
        """Count an error answer, by its status and unless it was announced; return the error."""
        outcome = refusal_outcome(response)
        if outcome != "unavailable":
            self.metrics.upstream_errors.labels(upstream, status_kind(response)).inc()
        kind, status = refusal_kind(response), response.status_code
        return ProblemError(upstream, kind, detail_of(response), outcome, status=status)


def failure_kind(error: httpx.HTTPError) -> Kind:
    """Return how a call failed that got no whole answer."""
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    return "connect" if isinstance(error, httpx.ConnectError) else "stream_broken"


def refusal_kind(response: httpx.Response) -> Kind:
    """Return how a call failed that was answered with an error status."""
    if response.status_code in BUSY:
        return "training" if error_code(body_of(response)) == TRAINING else "busy"
    return status_kind(response)


def status_kind(response: httpx.Response) -> Kind:
    """Return the class of an error status."""
    return "http_4xx" if response.status_code < 500 else "http_5xx"


def refusal_outcome(response: httpx.Response) -> Outcome:
    """Return what a reply that was refused counts as.

    A training run that has the GPU, and a server that ends, say so with 503 and a code; the gate
    answers 429 where too many requests run already. Everything else is an error.
    """
    if response.status_code == 503 and error_code(body_of(response)) in (TRAINING, DRAINING):
        return "unavailable"
    return "rejected" if response.status_code == 429 else "error"


def detail_of(response: httpx.Response) -> str:
    """Return the sentence in an error response, or nothing."""
    return error_message(body_of(response))


def body_of(response: httpx.Response) -> Any:
    """Return what a response says as JSON, or None."""
    try:
        return response.json()
    except ValueError:
        return None
