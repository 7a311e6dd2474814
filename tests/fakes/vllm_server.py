"""A fake of vLLM's OpenAI server, for faults and speeds that the real one does not offer.

    python tests/fakes/vllm_server.py --port 23001 --middleware serving.engine.gate.Gate

It takes vLLM's options (unknown ones are ignored), has the same routes with the same statuses, the
dangerous ones included, and speaks by rule: a token is a character, a reply repeats the last
message. Behaviour is set by variables:

    FAKE_VLLM_TOKEN_SECONDS   pause before each token of a reply (0)
    FAKE_VLLM_START_SECONDS   pause before it listens (0)
    FAKE_VLLM_HOLD            no stream ends while there is a file of this name
    FAKE_VLLM_FAIL            end at once with this as the last line
"""

import argparse
import asyncio
import importlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

MAX_TOKENS = 16
# What vLLM 0.32 mounts besides, on a CPU with runtime adapters allowed.
SIDE_ROUTES = (
    "/load /version /kv_event_sources /detokenize /v1/systemone /ping /invocations "
    "/v1/chat/completions/batch /v1/responses /v1/messages /v1/messages/count_tokens "
    "/generative_scoring /scale_elastic_ep /is_scaling_elastic_ep /v1/chat/completions/render "
    "/v1/messages/render /v1/completions/render /v1/responses/render /adapters "
    "/v1/chat/completions/derender /v1/completions/derender /inference/v1/generate "
    "/inference/v1/abort_requests /openapi.json /docs /redoc"
)


def rendered(messages: Sequence[dict[str, Any]]) -> str:
    """Return what the chat template makes of a conversation."""
    turns = "".join(f"<|im_start|>{m['role']}\n{m['content']}<|im_end|>\n" for m in messages)
    return f"{turns}<|im_start|>assistant\n"


def token_ids(messages: Sequence[dict[str, Any]]) -> list[int]:
    """Return the token ids of a conversation: a character each."""
    return [ord(character) for character in rendered(messages)]


def reply(messages: Sequence[dict[str, Any]], max_tokens: int = MAX_TOKENS) -> str:
    """Return the most likely reply."""
    return f"said: {messages[-1]['content']}"[:max_tokens]


class FakeVllm:
    """The server's state and its application, `app`.

    Args:
        base: served name of the base.
        token_seconds: pause before each token.
        hold: no stream ends while there is this file.

    A test that has it in its own process may also `hold_all` until it lets `go_on`.
    """

    def __init__(
        self, base: str = "base", token_seconds: float = 0.0, hold: Path | None = None
    ) -> None:
        self.base = base
        self.token_seconds = token_seconds
        self.hold = hold
        self.going = asyncio.Event()
        self.going.set()
        self.adapters: dict[str, str] = {}
        self.received: list[tuple[str, Any]] = []
        self.finished = 0
        self.aborted = 0
        self.most_adapters = 0
        routes = [
            Route("/health", self.health),
            Route("/metrics", self.metrics),
            Route("/v1/models", self.models),
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/v1/completions", self.completion, methods=["POST"]),
            Route("/tokenize", self.tokenize, methods=["POST"]),
            Route("/v1/load_lora_adapter", self.load, methods=["POST"]),
            Route("/v1/unload_lora_adapter", self.unload, methods=["POST"]),
            *(Route(path, self.side, methods=["GET", "POST"]) for path in SIDE_ROUTES.split()),
        ]
        self.app = Starlette(routes=routes)

    def hold_all(self) -> None:
        """Answer no request for a reply before `go_on`."""
        self.going.clear()

    def go_on(self) -> None:
        """Answer what was held."""
        self.going.set()

    async def health(self, _: Request) -> Response:
        """200 as soon as it listens."""
        return Response()

    async def side(self, _: Request) -> Response:
        """A route that clients must not reach."""
        return JSONResponse({"reached": True})

    async def metrics(self, _: Request) -> Response:
        """One series of vLLM's."""
        return PlainTextResponse("vllm:num_requests_running 0.0\n")

    async def models(self, _: Request) -> Response:
        """The base and the adapters, with their paths."""
        return JSONResponse({"data": [{"id": name} for name in (self.base, *self.adapters)]})

    async def tokenize(self, request: Request) -> Response:
        """The ids of a conversation."""
        body = await request.json()
        ids = token_ids(body["messages"])
        return JSONResponse({"tokens": ids, "count": len(ids), "max_model_len": 2048})

    async def load(self, request: Request) -> Response:
        """Load an adapter: 400 for a known name, 404 without files, 500 for broken weights."""
        body = await request.json()
        self.received.append((request.url.path, body))
        name, folder = body["lora_name"], Path(body["lora_path"])
        if name in self.adapters:
            return problem(400, f"The lora adapter '{name}' has already been loaded.")
        if not (folder / "adapter_config.json").is_file():
            return problem(404, f"No adapter found for {folder}")
        if (folder / "adapter_model.safetensors").read_bytes().startswith(b"broken"):
            return problem(500, "invalid header")
        self.adapters[name] = str(folder)
        self.most_adapters = max(self.most_adapters, len(self.adapters))
        return PlainTextResponse(f"Success: LoRA adapter '{name}' added successfully.")

    async def unload(self, request: Request) -> Response:
        """Let go of an adapter: 404 for an unknown one."""
        name = (await request.json())["lora_name"]
        if self.adapters.pop(name, None) is None:
            return problem(404, f"The lora adapter '{name}' cannot be found.")
        return PlainTextResponse(f"Success: LoRA adapter '{name}' removed successfully.")

    async def completion(self, request: Request) -> Response:
        """Complete a prompt by the same rule."""
        body = await request.json()
        return await self.answer(request, body, [{"role": "user", "content": body["prompt"]}])

    async def chat(self, request: Request) -> Response:
        """Reply to a conversation, whole or streamed."""
        body = await request.json()
        return await self.answer(request, body, body["messages"])

    async def answer(self, request: Request, body: Any, messages: list[Any]) -> Response:
        """Reply, or 404 for a model that is not loaded."""
        self.received.append((request.url.path, body))
        model = body["model"]
        if model != self.base and model not in self.adapters:
            return problem(404, f"The model `{model}` does not exist.")
        text = reply(messages, body.get("max_tokens") or MAX_TOKENS)
        if body.get("stream"):
            return StreamingResponse(self.chunks(model, text), media_type="text/event-stream")
        await self.going.wait()
        await asyncio.sleep(self.token_seconds * len(text))
        self.finished += 1
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "text": text}
        choice |= {"finish_reason": "stop", "token_ids": [ord(letter) for letter in text]}
        return JSONResponse({"id": "fake", "model": model, "choices": [choice]})

    async def chunks(self, model: str, text: str) -> AsyncIterator[str]:
        """Yield a reply token by token; count it as aborted where the client leaves."""
        done = False
        try:
            for letter in text:
                await asyncio.sleep(self.token_seconds)
                delta = {"index": 0, "delta": {"content": letter}}
                yield f"data: {json.dumps({'model': model, 'choices': [delta]})}\n\n"
            while self.hold and self.hold.exists():  # noqa: ASYNC110 another process removes it
                await asyncio.sleep(0.02)
            yield "data: [DONE]\n\n"
            done = True
        finally:
            self.finished += done
            self.aborted += not done


def problem(status: int, message: str) -> Response:
    """Return an error as vLLM words it."""
    return JSONResponse({"error": {"message": message, "code": status}}, status_code=status)


def main() -> None:
    """Serve until SIGTERM; open requests end first."""
    if reason := os.environ.get("FAKE_VLLM_FAIL"):
        sys.exit(reason)
    time.sleep(float(os.environ.get("FAKE_VLLM_START_SECONDS", "0")))
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--served-model-name", default="base")
    parser.add_argument("--middleware", default="")
    options, _ = parser.parse_known_args()
    pause = float(os.environ.get("FAKE_VLLM_TOKEN_SECONDS", "0"))
    hold = os.environ.get("FAKE_VLLM_HOLD")
    app: Any = FakeVllm(options.served_model_name, pause, Path(hold) if hold else None).app
    if options.middleware:
        module, name = options.middleware.rsplit(".", 1)
        app = getattr(importlib.import_module(module), name)(app)
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
