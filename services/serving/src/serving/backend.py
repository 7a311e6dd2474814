"""vLLM and its gate as the launcher sees them: typed calls over loopback with the gate's token."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx

from contracts.sample import Message
from serving.engine.gate import TOKEN_HEADER
from serving.errors import EngineError

PROBE_SECONDS = 5.0
CALL_SECONDS = 30.0  # of a call that needs no generation, on a machine under load
LOAD_SECONDS = 120.0  # a large adapter from a slow volume
GENERATE_SECONDS = 120.0
QUOTED = 300  # how much of an unexpected answer is quoted


class Backend:
    """Client of the engine's own port.

    Args:
        url: where vLLM listens, on loopback.
        token: the gate's, of the running engine.
        transport: how requests are sent; a test's application instead of the network.

    Every method raises EngineError where the engine does not answer, or not as it should.
    """

    def __init__(
        self, url: str, token: str, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.client = httpx.AsyncClient(
            base_url=url,
            headers={TOKEN_HEADER.decode(): token},
            transport=transport,
            trust_env=False,
            timeout=PROBE_SECONDS,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()

    async def healthy(self) -> bool:
        """Return whether vLLM says that it can work."""
        try:
            return (await self.client.get("/health")).status_code == 200
        except httpx.TransportError:
            return False

    async def load(self, served_name: str, folder: Path) -> None:
        """Load the adapter in `folder`; never in place of a loaded one."""
        body = {"lora_name": served_name, "lora_path": str(folder)}
        await self.send("POST", "/v1/load_lora_adapter", body, seconds=LOAD_SECONDS)

    async def unload(self, served_name: str) -> None:
        """Let go of an adapter; 404 means that an earlier call did."""
        body = {"lora_name": served_name}
        await self.send("POST", "/v1/unload_lora_adapter", body, accepted=(200, 404))

    async def tokenize(self, served_name: str, messages: Sequence[Message]) -> list[int]:
        """Return the token ids that the served chat template makes of `messages`."""
        body = {
            "model": served_name,
            "messages": [message.model_dump() for message in messages],
            "add_generation_prompt": True,
        }
        found = await self.send("POST", "/tokenize", body)
        return [int(token) for token in found.json()["tokens"]]

    async def greedy(
        self, served_name: str, messages: Sequence[Message], max_tokens: int
    ) -> list[int]:
        """Return the token ids of the most likely reply, at most `max_tokens`."""
        body = {
            "model": served_name,
            "messages": [message.model_dump() for message in messages],
            "temperature": 0,
            "max_tokens": max_tokens,
            "return_token_ids": True,
        }
        found = await self.send("POST", "/v1/chat/completions", body, seconds=GENERATE_SECONDS)
        return [int(token) for token in found.json()["choices"][0]["token_ids"] or []]

    async def set_names(self, served_names: Sequence[str], aliases: Mapping[str, str]) -> None:
        """Tell the gate which names clients may use; takes effect between two requests."""
        body = {"names": list(served_names), "aliases": dict(aliases)}
        await self.send("PUT", "/internal/aliases", body)

    async def state(self) -> dict[str, Any]:
        """Return the gate's open requests, its counts, and the engine's versions."""
        return dict((await self.send("GET", "/internal/inflight")).json())

    async def drain(self) -> None:
        """Let the gate refuse new requests with 503."""
        await self.send("POST", "/internal/drain")

    async def metrics(self) -> bytes:
        """Return vLLM's own metrics, in Prometheus' text format."""
        return (await self.send("GET", "/metrics", seconds=PROBE_SECONDS)).content

    async def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        seconds: float = CALL_SECONDS,
        accepted: Sequence[int] = (200,),
    ) -> httpx.Response:
        """Send a request and return the answer."""
        try:
            answer = await self.client.request(method, path, json=body, timeout=seconds)
        except httpx.TransportError as error:
            raise EngineError(f"{path}: {type(error).__name__} {error}".rstrip()) from error
        if answer.status_code not in accepted:
            raise EngineError(f"{path}: {answer.status_code} {answer.text[:QUOTED]}")
        return answer
