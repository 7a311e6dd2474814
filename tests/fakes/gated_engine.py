"""A fake vLLM in this process behind the real gate, with a client of each kind."""

from dataclasses import dataclass

import httpx

from contracts.artefact import GoldenPrompt
from fakes.vllm_server import FakeVllm, reply, token_ids
from serving.backend import Backend
from serving.engine.gate import Gate
from serving.engine.limits import Limits

TOKEN = "launcher-token"


@dataclass
class GatedEngine:
    """The fake, the gate before it, the launcher's client and anybody's client."""

    fake: FakeVllm
    gate: Gate
    backend: Backend
    client: httpx.AsyncClient


def gated_engine() -> GatedEngine:
    """Return a fake engine with small limits."""
    fake = FakeVllm()
    limits = Limits(token=TOKEN, max_inflight=2, max_tokens=64, max_body_bytes=10_000)
    gate = Gate(fake.app, limits)
    gate.named = True
    backend = Backend("http://engine", TOKEN, transport=httpx.ASGITransport(gate))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://engine")
    return GatedEngine(fake, gate, backend, client)


def golden_prompt(text: str = "你好", **changes: object) -> GoldenPrompt:
    """Return a golden prompt that the fake engine agrees with, but for `changes`."""
    messages = [{"role": "user", "content": text}]
    found = {
        "name": f"golden {text}",
        "messages": messages,
        "token_ids": token_ids(messages),
        "reply_ids": [ord(letter) for letter in reply(messages)],
    }
    return GoldenPrompt.model_validate(found | changes)
