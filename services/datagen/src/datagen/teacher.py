"""The teacher behind any OpenAI-compatible endpoint; the only module that imports `openai`.

Address, key, headers and HTTP backend are the SDK's, requests are sent on that backend: its typed
call spends more time on models than the network takes, its lower-level `post` still a third of the
whole on options and headers that never change (ADR). Retries are ours: the SDK knows neither a
breaker nor a shared Retry-After.
"""

import asyncio
import json
import logging
import math
from collections.abc import AsyncIterator, Callable
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import httpx2
import openai

from contracts.identity import now
from datagen.asking import CallFailedError, RefusedError, Teacher
from datagen.budget import Ledger
from datagen.config import Settings
from datagen.endpoint import Answer
from datagen.errors import TeacherSetupError
from datagen.metrics import Metrics
from datagen.pacing import Pace
from datagen.roster import TeacherSpec, open_ledger, spec_of
from kit.config import read_secret

logger = logging.getLogger(__name__)
PATH = "chat/completions"
# The longest honest answer is a few kilobytes.
MAX_ANSWER_BYTES = 4 << 20
REFUSED = frozenset({400, 413, 422})
SETUP = frozenset({401, 402, 403, 404, 405})
# 529: overloaded, as some say it.
THROTTLED = frozenset({429, 529})
# A 429 that no waiting mends.
NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
REQUEST_ID = "X-Client-Request-Id"


class SdkEndpoint:
    """One chat request on the SDK's HTTP backend, and what its outcomes mean.

    Args:
        client: knows address, key and headers.
        http: its backend.
        model: that is asked.
        timeout_seconds: for one whole call.
    """

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        http: httpx2.AsyncClient,
        model: str,
        timeout_seconds: float,
    ) -> None:
        self.client, self.http = client, http
        self.model = model
        self.timeout_seconds = timeout_seconds
        self.url = httpx2.URL(f"{client.base_url}{PATH}")
        headers = {**client.default_headers, **client.auth_headers}
        # The SDK marks what it leaves out by objects of its own.
        self.headers = {name: value for name, value in headers.items() if isinstance(value, str)}
        self.extensions = {"timeout": httpx2.Timeout(timeout_seconds).as_dict()}

    async def send(self, body: dict[str, Any], request_id: str) -> Answer:
        """Return the answer. Raises CallFailedError, RefusedError, TeacherSetupError."""
        request = httpx2.Request(
            "POST",
            self.url,
            headers=self.headers | {REQUEST_ID: request_id},
            content=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(
                "utf-8", "replace"
            ),
            extensions=self.extensions,
        )
        try:
            async with asyncio.timeout(self.timeout_seconds):
                response = await self.http.send(request)
        except (TimeoutError, aiohttp.ClientError, httpx2.HTTPError) as error:
            raise broken_call(error) from error
        if not response.is_success:
            raise status_failure(response)
        try:
            answer = json.loads(response.content)
        except (ValueError, RecursionError) as error:
            raise CallFailedError("malformed") from error
        if not isinstance(answer, dict):
            raise CallFailedError("malformed")
        return Answer(answer, response.headers.get("x-request-id", ""))

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


def broken_call(error: Exception) -> CallFailedError:
    """Return what a call without an answer means.

    A connection that never came about is the one failure that surely cost nothing. The backend
    calls it a time-out, like a connection that broke after the request: the cause tells them apart.
    """
    cause = error.__cause__
    if isinstance(error, httpx2.ConnectError) or isinstance(cause, aiohttp.ClientConnectorError):
        return CallFailedError("connection", unpaid=True)
    broken = isinstance(cause, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError)
    late = isinstance(error, TimeoutError | httpx2.TimeoutException) and not broken
    return CallFailedError("timeout" if late else "connection")


def status_failure(response: httpx2.Response) -> Exception:
    """Return what an HTTP error of the teacher means; none of them is paid."""
    status, code = response.status_code, error_code(response)
    if status in REFUSED:
        return RefusedError(f"HTTP {status}")
    if status in SETUP or status < 400 or code in NO_CREDIT:
        return TeacherSetupError(
            f"the teacher answers HTTP {status}" + (f" ({code})" if code else ""),
            hint="check TEACHER_BASE_URL, TEACHER_MODEL and TEACHER_API_KEY_FILE, and the "
            "account's credit; then resume",
        )
    reason = "throttled" if status in THROTTLED else "server"
    wait = retry_after_seconds(response.headers.get("retry-after", ""))
    return CallFailedError(reason, wait, unpaid=True)


def error_code(response: httpx2.Response) -> str:
    """Return the `code` in the JSON of an HTTP error; empty where there is none."""
    try:
        code = json.loads(response.content)["error"]["code"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    return code[:80] if isinstance(code, str) else ""


def retry_after_seconds(value: str) -> float | None:
    """Return the seconds of a Retry-After header (a number or a date), or None."""
    try:
        seconds = float(value)
        return max(0.0, seconds) if math.isfinite(seconds) else None
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - now()).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


async def refuse_large(response: httpx2.Response) -> None:
    """Bound an answer before it is read: no compression (a bomb), at most MAX_ANSWER_BYTES."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx2.ReadError("the teacher sent a compressed answer, which was not asked for")
    if isinstance(response.stream, httpx2.AsyncByteStream):
        response.stream = BoundedStream(response.stream)


class BoundedStream(httpx2.AsyncByteStream):
    """The stream of an answer that ends with an error at MAX_ANSWER_BYTES."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self.stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for block in self.stream:
            seen += len(block)
            if seen > MAX_ANSWER_BYTES:
                raise httpx2.ReadError(f"the answer is over {MAX_ANSWER_BYTES} bytes")
            yield block

    async def aclose(self) -> None:
        """Close the stream underneath."""
        await self.stream.aclose()


def open_endpoint(spec: TeacherSpec, embedded: Callable[..., Any]) -> SdkEndpoint:
    """Return the endpoint of a teacher; without an address, the embedded app in process.

    Args:
        spec: address, model, key and time-out.
        embedded: the scripted teacher's ASGI app.
    """
    hooks: dict[str, list[Callable[..., Any]]] = {"response": [refuse_large]}
    if spec.base_url:
        http = openai.DefaultAioHttpClient(event_hooks=hooks, follow_redirects=False)
    else:
        http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=embedded), event_hooks=hooks)
    client = openai.AsyncOpenAI(
        base_url=spec.base_url or "http://scripted/v1",
        api_key=read_secret(spec.api_key_file) or "none",
        max_retries=0,
        timeout=spec.timeout_seconds,
        http_client=http,
        default_headers={"Accept-Encoding": "identity"},
    )
    return SdkEndpoint(client, http, spec.model, spec.timeout_seconds)


def make_teacher(
    spec: TeacherSpec,
    metrics: Metrics,
    ledger: Ledger,
    embedded: Callable[..., Any],
    patience_seconds: float,
) -> Teacher:
    """Return the teacher of a spec, whose costs stand in `ledger`."""
    return Teacher(
        open_endpoint(spec, embedded),
        metrics,
        id=spec.id,
        ledger=ledger,
        prices=spec.prices,
        pace=Pace(spec.requests_per_minute, spec.tokens_per_minute),
        concurrency=spec.concurrency,
        least=spec.least_concurrency,
        patience_seconds=patience_seconds,
    )


def open_teacher(settings: Settings, metrics: Metrics, embedded: Callable[..., Any]) -> Teacher:
    """Return the one teacher of the settings, or the embedded app reached in process.

    Args:
        settings: `teacher_*`.
        metrics: counts requests.
        embedded: the scripted teacher's ASGI app.
    """
    spec = spec_of(settings)
    ledger = metrics.shown(open_ledger(settings, [spec]))
    return make_teacher(spec, metrics, ledger, embedded, settings.teacher_patience_seconds)
