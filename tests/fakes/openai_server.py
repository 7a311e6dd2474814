"""A small OpenAI chat server in process (ASGI): scripted models, faults on demand, a record."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import Receive, Scope, Send

Messages = list[dict[str, str]]
TOO_LONG = "This model's maximum context length is 512 tokens. Please reduce the input."
Model = Callable[[Messages], str]


@dataclass
class Fault:
    """One response that is not an answer."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"error": {"message": "busy"}}'


class OpenAIServer:
    """Answers `POST /v1/chat/completions`, `POST /v1/completions` and `GET /v1/models`.

    Args:
        models: by name, a function from the messages to the reply; outside a chat the text to go
            on with is the only message, of the role `text`.
        faults: given out before answers, one for each request.
        api_key: required as a bearer token where it is set.
        context: characters of a prompt; a longer one is refused as vLLM words it.
        scripts: whether there is `/v1/completions`.
    """

    def __init__(
        self,
        models: dict[str, Model],
        *,
        faults: Iterable[Fault] = (),
        api_key: str | None = None,
        context: int = 100_000,
        scripts: bool = True,
    ) -> None:
        self.models = models
        self.faults = list(faults)
        self.api_key = api_key
        self.context = context
        chat, script = "/v1/chat/completions", "/v1/completions"
        self.routes = (chat, script) if scripts else (chat,)
        self.requests: list[dict[str, Any]] = []
        self.in_flight = 0
        self.most_in_flight = 0

    @property
    def transport(self) -> httpx.ASGITransport:
        """Return an httpx transport that reaches this server."""
        return httpx.ASGITransport(app=self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await asyncio.sleep(0)  # let others in, as a network would
            fault = self._respond(scope, body)
        finally:
            self.in_flight -= 1
        headers = [(name.encode(), value.encode()) for name, value in fault.headers.items()]
        await send({"type": "http.response.start", "status": fault.status, "headers": headers})
        await send({"type": "http.response.body", "body": fault.body})

    def _respond(self, scope: Scope, body: bytes) -> Fault:
        given = dict(scope["headers"]).get(b"authorization", b"").decode()
        if self.api_key and given != f"Bearer {self.api_key}":
            return error(401, "Unauthorized")
        if scope["path"] == "/v1/models":
            return answer({"object": "list", "data": [{"id": name} for name in self.models]})
        if scope["path"] not in self.routes:
            return error(404, "no such route")
        if self.faults:
            return self.faults.pop(0)
        return self._complete(json.loads(body))

    def _complete(self, request: dict[str, Any]) -> Fault:
        self.requests.append(request)
        model = self.models.get(request["model"])
        if model is None:
            return error(404, f"The model `{request['model']}` does not exist.")
        said = request.get("messages") or [{"role": "text", "content": request["prompt"]}]
        if sum(len(message["content"]) for message in said) > self.context:
            return error(400, TOO_LONG)
        text = model(said)
        if "prompt" in request:
            return answer({"choices": [{"index": 0, "text": text, "finish_reason": "stop"}]})
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return answer({"object": "chat.completion", "choices": [{"index": 0, **choice}]})


def answer(document: dict[str, Any]) -> Fault:
    """Return `document` as a response with status 200."""
    return Fault(200, {"content-type": "application/json"}, json.dumps(document).encode())


def error(status: int, message: str) -> Fault:
    """Return an error as vLLM words it."""
    return Fault(status, body=json.dumps({"error": {"message": message, "code": status}}).encode())
