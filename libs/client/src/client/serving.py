"""serving: chat over the OpenAI API, and the launcher's view of what is loaded."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from client.errors import ServiceError, error_body
from client.service import Service
from contracts.artefact import ServingStatus
from contracts.sample import Message

# A reply of a small model on a busy CPU; a longer silence in a stream means that it broke.
CHAT_SECONDS = 120.0


class ServingClient(Service):
    """Client of serving's OpenAI API (port 8000); its constructor is `Service`'s."""

    def models(self) -> list[str]:
        """Return the names that requests may ask for."""
        found = self.get("/v1/models", dict[str, Any])
        return [str(model["id"]) for model in found["data"]]

    def chat(
        self,
        model: str,
        messages: Sequence[Message],
        *,
        temperature: float = 0.8,
        max_tokens: int = 96,
        seed: int | None = None,
    ) -> str:
        """Return the whole reply."""
        body = chat_body(model, messages, temperature, max_tokens, seed)
        found = self.send(
            "POST", "/v1/chat/completions", dict[str, Any], json=body, timeout=CHAT_SECONDS
        )
        return str(found["choices"][0]["message"]["content"] or "")

    def stream_chat(
        self,
        model: str,
        messages: Sequence[Message],
        *,
        temperature: float = 0.8,
        max_tokens: int = 96,
        seed: int | None = None,
    ) -> Iterator[str]:
        """Yield the reply piece by piece; closing the iterator stops the generation."""
        body = chat_body(model, messages, temperature, max_tokens, seed) | {"stream": True}
        path = "/v1/chat/completions"
        for data in self.events("POST", path, quiet_seconds=CHAT_SECONDS, body=body):
            if data == "[DONE]":
                return
            chunk = json.loads(data)
            if "error" in chunk:
                raise ServiceError(500, error_body(500, data.encode()))
            if piece := delta(chunk):
                yield piece


class LauncherClient(Service):
    """Client of serving's launcher (port 8010); its constructor is `Service`'s."""

    def status(self) -> ServingStatus:
        """Return what is loaded, and what could not be."""
        return self.get("/status", ServingStatus)


def chat_body(
    model: str,
    messages: Sequence[Message],
    temperature: float,
    max_tokens: int,
    seed: int | None,
) -> dict[str, Any]:
    """Return the body of a chat request."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [message.model_dump() for message in messages],
        "temperature": temperature,
        "max_tokens": max_tokens,
    }
    return body if seed is None else body | {"seed": seed}


def delta(chunk: dict[str, Any]) -> str:
    """Return the text that a chunk of a stream adds."""
    choices = chunk.get("choices") or [{}]
    return str((choices[0].get("delta") or {}).get("content") or "")
