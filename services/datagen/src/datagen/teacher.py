"""The teacher behind any OpenAI-compatible endpoint; the only module that imports `openai`.

Requests go through the SDK's low-level `post`: its typed call spends more time on models than the
network takes. Retries are ours: the SDK knows neither a breaker nor a shared Retry-After.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import httpx2
import openai

from contracts.identity import now
from datagen.asking import CallFailedError, RefusedError, Teacher
from datagen.budget import open_ledger
from datagen.config import Settings
from datagen.errors import TeacherSetupError
from datagen.metrics import Metrics
from kit.config import read_secret

logger = logging.getLogger(__name__)
PATH = "/chat/completions"
# The longest honest answer is a few kilobytes.
MAX_ANSWER_BYTES = 4 << 20
REFUSED = frozenset({400, 413, 422})
SETUP = frozenset({401, 402, 403, 404, 405})
THROTTLED = 429


class SdkEndpoint:
    """One chat request over the SDK, and what its outcomes mean."""

    def __init__(self, client: openai.AsyncOpenAI, model: str, timeout_seconds: float) -> None:
        self.client = client
        self.model = model
        self.timeout_seconds = timeout_seconds

    async def send(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer's JSON. Raises CallFailedError, RefusedError, TeacherSetupError."""
        try:
            async with asyncio.timeout(self.timeout_seconds):
                response = await self.client.post(PATH, body=body, cast_to=httpx2.Response)
        except (TimeoutError, openai.APITimeoutError) as error:
            raise CallFailedError("timeout") from error
        except openai.APIStatusError as error:
            raise status_failure(error.status_code, error.response.headers) from error
        except (openai.OpenAIError, aiohttp.ClientError, httpx2.HTTPError) as error:
            raise CallFailedError("connection") from error
        try:
            answer = response.json()
        except ValueError as error:
            raise CallFailedError("malformed") from error
        if not isinstance(answer, dict):
            raise CallFailedError("malformed")
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


def status_failure(status: int, headers: httpx2.Headers) -> Exception:
    """Return what an HTTP error of the teacher means."""
    if status in REFUSED:
        return RefusedError(f"HTTP {status}")
    if status in SETUP or 300 <= status < 400:
        return TeacherSetupError(
            f"the teacher answers HTTP {status}",
            hint="check TEACHER_BASE_URL, TEACHER_MODEL and TEACHER_API_KEY_FILE, then resume",
        )
    reason = "throttled" if status == THROTTLED else "server"
    return CallFailedError(reason, retry_after_seconds(headers.get("retry-after", "")))


def retry_after_seconds(value: str) -> float | None:
    """Return the seconds of a Retry-After header (a number or a date), or None."""
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - now()).total_seconds())
    except (ValueError, TypeError):
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


def open_teacher(settings: Settings, metrics: Metrics, embedded: Callable[..., Any]) -> Teacher:
    """Return the teacher that the operator named, or the embedded app reached in process.

    Args:
        settings: `teacher_*`.
        metrics: counts requests.
        embedded: the scripted teacher's ASGI app.
    """
    hooks: dict[str, list[Callable[..., Any]]] = {"response": [refuse_large]}
    if settings.teacher_base_url:
        http = openai.DefaultAioHttpClient(event_hooks=hooks, follow_redirects=False)
        base_url, model = settings.teacher_base_url, settings.teacher_model
    else:
        http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=embedded), event_hooks=hooks)
        base_url, model = "http://scripted/v1", "scripted"
    client = openai.AsyncOpenAI(
        base_url=base_url,
        api_key=read_secret(settings.teacher_api_key_file) or "none",
        max_retries=0,
        timeout=settings.teacher_timeout_seconds,
        http_client=http,
        default_headers={"Accept-Encoding": "identity"},
    )
    return Teacher(
        SdkEndpoint(client, model, settings.teacher_timeout_seconds),
        metrics,
        ledger=metrics.shown(open_ledger(settings)),
        concurrency=settings.teacher_concurrency,
        patience_seconds=settings.teacher_patience_seconds,
    )
