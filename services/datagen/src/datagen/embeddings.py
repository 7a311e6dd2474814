"""Vectors of any OpenAI-compatible `/embeddings` endpoint, and the choice of vectors by settings.

The SDK is not needed for one POST; waiting for a busy endpoint and dividing what is too much for it
are the whole of this client. Its tokens do not count against the teacher's budget.
"""

import asyncio
import json
import random
from collections.abc import Sequence

import httpx

from datagen.asking import CallFailedError, RefusedError
from datagen.breaker import Sleep, backoff
from datagen.config import Settings
from datagen.embedding_folder import EmbeddingsFolder
from datagen.errors import EmbeddingsSetupError
from datagen.teacher import retry_after_seconds
from datagen.vector_cache import VectorCache
from datagen.vectors import EmbeddedVectors, NgramVectors, Vectors
from kit.config import read_secret
from kit.errors import UnavailableError

PATH = "embeddings"
TIMEOUT = httpx.Timeout(60.0, connect=10.0)
# 64 vectors of 4,096 numbers take some 6 MB as JSON.
MAX_ANSWER_BYTES = 64 << 20
TRIES = 6
LONGEST_WAIT_SECONDS = 60.0
TOO_MUCH = frozenset({400, 413, 422})
BUSY = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
# A text that is refused is halved down to this: below it, it is not its length.
LEAST_CHARACTERS = 64
HINT = "check EMBEDDINGS_BASE_URL, EMBEDDINGS_MODEL and EMBEDDINGS_API_KEY_FILE"


class EmbeddingsEndpoint:
    """One endpoint, asked with patience.

    Args:
        http: a client whose `base_url` ends with the version (`…/v1/`); closed by `close`.
        model: its name there.
        sleep, chance: the outside world.
    """

    texts_a_call = 64
    calls_at_once = 8

    def __init__(
        self,
        http: httpx.AsyncClient,
        model: str,
        *,
        sleep: Sleep = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self.http = http
        self.name = model
        self.most = self.texts_a_call
        self.sleep = sleep
        self.chance = chance or random.Random()
        self._shortened = 0

    @property
    def maker(self) -> str:
        """What tells these vectors from any others."""
        return f"endpoint {self.http.base_url} {self.name}"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text, in order.

        Raises:
            EmbeddingsSetupError: key, model or address are wrong, or the answer has no vectors.
            UnavailableError: it stayed busy or out of reach through 6 tries.
        """
        found = []
        at = 0
        while at < len(texts):
            part = texts[at : at + self.most]
            found += await self._divided(part)
            at += len(part)
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self.http.aclose()

    async def _divided(self, texts: Sequence[str]) -> list[list[float]]:
        """Return vectors; what is refused as a whole is asked for in halves.

        Endpoints take 10 to 2,048 texts at once and 512 to 32,768 tokens each, and say so only by
        refusing: how many pass is remembered, and of a text that is too long the beginning counts.
        """
        try:
            return await self._patiently(texts)
        except RefusedError as error:
            if len(texts) > 1:
                half, before = (len(texts) + 1) // 2, self._shortened
                parts = [await self._divided(part) for part in (texts[:half], texts[half:])]
                if self._shortened == before:  # it was their number
                    self.most = min(self.most, half)
                return parts[0] + parts[1]
            if len(texts[0]) <= LEAST_CHARACTERS:
                raise EmbeddingsSetupError(str(error), hint=HINT) from error
            self._shortened += 1
            return await self._divided([texts[0][: len(texts[0]) // 2]])

    async def _patiently(self, texts: Sequence[str]) -> list[list[float]]:
        for tries in range(1, TRIES + 1):
            try:
                return await self._call(texts)
            except CallFailedError as failure:
                if tries == TRIES:
                    raise UnavailableError(
                        f"the embeddings endpoint does not answer ({failure.reason}, {TRIES} "
                        "tries); what it has answered is kept",
                        hint="ask again later, or check EMBEDDINGS_BASE_URL",
                    ) from failure
                wait = (failure.retry_after or 0.0) + backoff(tries, self.chance)
                await self.sleep(min(wait, LONGEST_WAIT_SECONDS))
        raise AssertionError("unreachable")

    async def _call(self, texts: Sequence[str]) -> list[list[float]]:
        """Make one call. Raises CallFailedError, RefusedError, EmbeddingsSetupError."""
        body = {"model": self.name, "input": list(texts), "encoding_format": "float"}
        try:
            async with self.http.stream("POST", PATH, json=body) as response:
                content = await bounded(response)
        except httpx.RequestError as error:
            raise CallFailedError(type(error).__name__) from error
        status = response.status_code
        if status < 300:
            return vectors_of(content, self.name)
        said = f"the embeddings endpoint answers HTTP {status}: {message_of(content)}"
        if status in BUSY:
            wait = retry_after_seconds(response.headers.get("retry-after", ""))
            raise CallFailedError(f"HTTP {status}", wait)
        if status in TOO_MUCH:
            raise RefusedError(said)
        raise EmbeddingsSetupError(said, hint=HINT)


async def bounded(response: httpx.Response) -> bytes:
    """Return the body of an answer. Raises EmbeddingsSetupError where it does not end."""
    content = bytearray()
    async for block in response.aiter_bytes():
        content += block
        if len(content) > MAX_ANSWER_BYTES:
            raise EmbeddingsSetupError(
                f"the embeddings endpoint answers with over {MAX_ANSWER_BYTES} bytes", hint=HINT
            )
    return bytes(content)


def vectors_of(content: bytes, model: str) -> list[list[float]]:
    """Return the vectors in an answer, in the order of the texts.

    Raises EmbeddingsSetupError where there are none.
    """
    try:
        data = json.loads(content)["data"]
        return [one["embedding"] for one in sorted(data, key=lambda one: int(one["index"]))]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise EmbeddingsSetupError(f"{model[:80]} answers with no embeddings", hint=HINT) from error


def message_of(content: bytes) -> str:
    """Return what an endpoint says of its error, at most 200 characters."""
    try:
        body = json.loads(content)
        said = body.get("error", body)
        return str(said.get("message", said) if isinstance(said, dict) else said)[:200]
    except (ValueError, AttributeError, RecursionError):
        return content[:200].decode("utf-8", "replace")


def open_vectors(settings: Settings) -> Vectors:
    """Return the vectors that the settings name; character n-grams where they name none.

    Raises what `read_secret` raises.
    """
    cache = VectorCache(settings.state_dir)
    if settings.embeddings_folder:
        return EmbeddedVectors(EmbeddingsFolder(settings.embeddings_folder), cache)
    if not settings.embeddings_base_url:
        return NgramVectors()
    key = read_secret(settings.embeddings_api_key_file)
    http = httpx.AsyncClient(
        base_url=f"{settings.embeddings_base_url.rstrip('/')}/",
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=TIMEOUT,
    )
    return EmbeddedVectors(EmbeddingsEndpoint(http, settings.embeddings_model or ""), cache)
