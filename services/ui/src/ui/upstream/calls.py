"""Short calls to one service, and what their failures mean; the one stream is in `serving_calls`.

The clients of `libs/client` are for programs that may block; a page serves many people at once,
and closing its side of a stream must stop the generation, so it keeps these few calls of its own.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from ui.errors import Kind, Outcome, ProblemError, Upstream
from ui.metrics import UiMetrics
from ui.upstream.stream import error_code, error_message, error_part

Answer = TypeVar("Answer")
# How long a service may take to say what it has.
QUICK_SECONDS = 1.5
# The longest answer that is no JSON: a page of a report, a picture of a card, a piece of a log.
MOST_BYTES = 8 << 20
BUSY = frozenset({429, 503})
# What serving answers while a training run has the GPU, and while it ends: announced, no failure.
TRAINING, DRAINING = "training", "draining"


@dataclass(frozen=True)
class Calls:
    """Questions to one service, and orders.

    Attributes:
        http: what all services share.
        metrics: counts the failures.
        upstream: the service's name in the metrics.
        url: its address, without a path.
        asking: headers of every question.
        telling: headers of every order: the token that changes something.
    """

    http: httpx.AsyncClient
    metrics: UiMetrics
    upstream: Upstream
    url: str
    asking: Mapping[str, str] = field(default_factory=dict)
    telling: Mapping[str, str] = field(default_factory=dict)

    async def get(
        self, path: str, kind: type[Answer], *, seconds: float = QUICK_SECONDS, **query: Any
    ) -> Answer:
        """Return what is at `path`, answered within `seconds`, as `kind`. Raises ProblemError."""
        params = {name: value for name, value in query.items() if value is not None}
        response = await self.request("GET", path, self.asking, seconds, params=params)
        return self.parsed(response, kind)

    async def text(
        self, path: str, *, most: int = MOST_BYTES, seconds: float = QUICK_SECONDS, **query: Any
    ) -> str:
        """Return what is at `path` as text; broken signs are replaced. Raises ProblemError."""
        found = await self.content(path, most=most, seconds=seconds, **query)
        return found.decode("utf-8", errors="replace")

    async def content(
        self, path: str, *, most: int = MOST_BYTES, seconds: float = QUICK_SECONDS, **query: Any
    ) -> bytes:
        """Return what is at `path` as it is. Raises ProblemError, also where it is over `most`.

        No more than that is ever held; `seconds` are for all of it, not for each piece.
        """
        params = {name: value for name, value in query.items() if value is not None}
        try:
            async with asyncio.timeout(seconds):
                return await self.bounded(path, most, seconds, params)
        except TimeoutError as error:
            raise self.problem("timeout") from error
        except httpx.HTTPError as error:
            raise self.problem(failure_kind(error)) from error

    async def bounded(
        self, path: str, most: int, seconds: float, params: Mapping[str, Any]
    ) -> bytes:
        """Return a body of at most `most` bytes. Raises ProblemError and httpx's errors."""
        url, found = self.url + path, bytearray()
        async with self.http.stream(
            "GET", url, headers=self.asking, timeout=seconds, params=params
        ) as response:
            async for piece in response.aiter_bytes():
                found += piece
                if len(found) > most:
                    raise self.problem("stream_broken", f"{path}: over {most} bytes")
        if response.is_error:
            whole = httpx.Response(response.status_code, content=bytes(found))
            raise self.refusal(whole)
        return bytes(found)

    async def send(
        self,
        method: str,
        path: str,
        kind: type[Answer],
        body: object = None,
        *,
        key: str = "",
        seconds: float = QUICK_SECONDS,
        **query: Any,
    ) -> Answer:
        """Order something, and return the answer as `kind`.

        Args:
            method: POST, PUT or DELETE.
            path: what it is sent to.
            kind: of the answer; `object` where nothing of it is read.
            body: a model or JSON; `bytes` travel as they are.
            key: of idempotency: sent twice, it is done once.
            seconds: how long the service may take.
            query: parameters of the address; those that are None are left out.

        Raises:
            ProblemError: where the service answered, `status`, and the `code`, `field` and `hint`
                of its error are among the values.
        """
        headers = {**self.telling, **({"Idempotency-Key": key} if key else {})}
        params = {name: value for name, value in query.items() if value is not None}
        response = await self.request(
            method, path, headers, seconds, params=params, **content_of(body)
        )
        return self.parsed(response, kind)

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], seconds: float, **options: Any
    ) -> httpx.Response:
        """Return a response that is no error. Raises ProblemError."""
        url = self.url + path
        try:
            response = await self.http.request(
                method, url, headers=headers, timeout=seconds, **options
            )
        except httpx.HTTPError as error:
            raise self.problem(failure_kind(error)) from error
        if response.is_error:
            raise self.refusal(response)
        return response

    def parsed(self, response: httpx.Response, kind: type[Answer]) -> Answer:
        """Return what a response says as `kind`; an empty one says null. Raises ProblemError."""
        try:
            return TypeAdapter(kind).validate_json(response.content or b"null")
        except ValidationError as error:
            raise self.problem("stream_broken") from error

    def problem(self, kind: Kind, detail: str = "") -> ProblemError:
        """Count a failed call and return the error to raise."""
        self.metrics.upstream_errors.labels(self.upstream, kind).inc()
        return ProblemError(self.upstream, kind, detail)

    def refusal(self, response: httpx.Response) -> ProblemError:
        """Count an error answer, by its status and unless it was announced; return the error."""
        outcome = refusal_outcome(response)
        if outcome != "unavailable":
            self.metrics.upstream_errors.labels(self.upstream, status_kind(response)).inc()
        kind, body = refusal_kind(response), body_of(response)
        found = {name: error_part(body, name) for name in ("code", "field", "hint")}
        values = found | {"status": response.status_code}
        return ProblemError(self.upstream, kind, error_message(body), outcome, **values)


def content_of(body: object) -> dict[str, Any]:
    """Return how a body is given to httpx."""
    if body is None:
        return {}
    if isinstance(body, bytes):
        return {"content": body}
    return {"json": body.model_dump(mode="json") if isinstance(body, BaseModel) else body}


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


def body_of(response: httpx.Response) -> Any:
    """Return what a response says as JSON, or None."""
    try:
        return response.json()
    except ValueError:
        return None
