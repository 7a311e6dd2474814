"""The gate: what stands between a client and vLLM, inside vLLM's own server process.

vLLM adds it last (`--middleware serving.engine.gate.Gate`), so that it sees every request first.
Clients reach `/health`, `/v1/models`, `/v1/chat/completions` and `/v1/completions`; every other
route does not exist for them. The launcher, on loopback with its token, also reaches the routes
that load adapters and those under `/internal`.

**Invariant**: nothing that can wait stands between reading the name table and counting the
request. So a version that the table no longer names, and that no request holds, can be unloaded.
"""

import asyncio
import hmac
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from serving.engine.bodies import BODIES, parse_body
from serving.engine.control_tokens import neutraliser
from serving.engine.limits import GATE_FILE, Limits
from serving.engine.names import NameTable
from serving.engine.refusal import App, Message, Receive, Refusal, Scope, Send, send_json

TOKEN_HEADER = b"x-tonesmith-token"
LOOPBACK = {"127.0.0.1", "::1"}
# vLLM's routes that the launcher needs; clients get 404 for all but the last two.
LAUNCHER_ROUTES = {
    ("POST", "/v1/load_lora_adapter"),
    ("POST", "/v1/unload_lora_adapter"),
    ("POST", "/tokenize"),
    ("GET", "/metrics"),
    ("POST", "/v1/chat/completions"),
    ("GET", "/health"),
}
# Headers that reach vLLM; it gives meaning to others (request id, rank, session).
HEADERS_KEPT = {b"host", b"accept", b"user-agent"}
BODY_SECONDS = 15.0  # a slow sender must not hold a connection for ever
RETRY_FULL_SECONDS = 1
RETRY_DRAIN_SECONDS = 5


class ClientGone(Exception):
    """The client left before its request was complete."""


class Gate:
    """ASGI middleware around vLLM's application.

    Args:
        app: vLLM's application.
        limits: secrets and limits; by default from the file that the environment names.
    """

    def __init__(self, app: App, limits: Limits | None = None) -> None:
        self.app = app
        self.limits = limits or Limits.read(Path(os.environ[GATE_FILE]))
        self.names = NameTable(self.limits.base)
        self.neutralise = neutraliser(self.limits.control_tokens)
        self.inflight: Counter[str] = Counter()
        self.requests: Counter[tuple[str, int]] = Counter()
        self.named = False  # until the launcher has said which adapters there are
        self.draining = False
        self.created = int(time.time())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of the server."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        else:
            try:
                await self.route(scope, receive, send)
            except Refusal as refusal:
                self.requests["", refusal.status] += 1
                await refusal.send(send)
            except ClientGone:
                return

    async def route(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a request where it belongs. Raises Refusal."""
        wanted = (scope["method"], scope["path"])
        if self.from_launcher(scope):
            await self.serve_launcher(wanted, scope, receive, send)
        elif wanted == ("GET", "/health"):
            await self.app(scope, receive, send)
        elif wanted == ("GET", "/v1/models"):
            self.check_key(scope)
            body = self.names.listing(self.created, self.limits.max_model_len)
            await send_json(send, 200, body)
        elif scope["method"] == "POST" and scope["path"] in BODIES:
            self.check_key(scope)
            await self.generate(scope, receive, send)
        else:
            raise Refusal(404, "not_found", "There is no such route.")

    def from_launcher(self, scope: Scope) -> bool:
        """Return whether the request carries the launcher's token and comes from this machine."""
        given = header(scope, TOKEN_HEADER)
        client = scope.get("client") or ("",)
        known = hmac.compare_digest(given, self.limits.token.encode())
        return bool(self.limits.token) and known and client[0] in LOOPBACK

    def check_key(self, scope: Scope) -> None:
        """Raise Refusal where a key is asked for and the request does not carry it."""
        expected = f"Bearer {self.limits.api_key}".encode()
        given = header(scope, b"authorization")
        if self.limits.api_key and not hmac.compare_digest(given, expected):
            raise Refusal(
                401,
                "unauthorized",
                "The API key is missing or wrong.",
                hint="send it as Authorization: Bearer <key>",
            )

    async def generate(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request for a reply, give it its real model name, and hand it to vLLM."""
        self.check_open()
        raw = await self.read_body(receive)
        body = parse_body(scope["path"], raw, self.limits.max_tokens)
        for message in body.get("messages", []):
            message["content"] = self.neutralise(message["content"])
        if "prompt" in body:
            body["prompt"] = self.neutralise(body["prompt"])
        self.check_open()
        asked = body["model"]
        served = body["model"] = self.names.resolve(asked)
        self.inflight[served] += 1
        try:
            content = json.dumps(body, ensure_ascii=False).encode()
            counted = self.counting(asked, send)
            await self.app(rewritten(scope, content), replayed(content, receive), counted)
        finally:
            self.inflight[served] -= 1

    def check_open(self) -> None:
        """Raise Refusal while starting, draining or full."""
        if self.draining or not self.named:
            raise Refusal(
                503,
                "draining" if self.draining else "starting",
                f"The server is about to {'stop' if self.draining else 'start'}.",
                hint="try again",
                retry_after=RETRY_DRAIN_SECONDS,
            )
        if self.inflight.total() >= self.limits.max_inflight:
            raise Refusal(
                429,
                "overloaded",
                f"{self.limits.max_inflight} requests run or wait already.",
                hint="try again later",
                retry_after=RETRY_FULL_SECONDS,
            )

    async def read_body(self, receive: Receive) -> bytes:
        """Return the whole body. Raises Refusal where it is too large or too slow."""
        content = b""
        try:
            async with asyncio.timeout(BODY_SECONDS):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    content += message.get("body", b"")
                    if len(content) > self.limits.max_body_bytes:
                        limit = self.limits.max_body_bytes
                        raise Refusal(413, "too_large", f"The body is over {limit} bytes.")
                    more = message.get("more_body", False)
        except TimeoutError:
            raise Refusal(408, "timeout", "The body did not arrive in time.") from None
        return content

    def counting(self, asked: str, send: Send) -> Send:
        """Wrap `send` so that the status of the answer is counted under the asked name."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.requests[asked, message["status"]] += 1
            await send(message)

        return counted

    async def serve_launcher(
        self, wanted: tuple[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Serve a request of the launcher; it is neither counted nor refused when full."""
        if wanted in LAUNCHER_ROUTES:
            await self.app(scope, receive, send)
        elif wanted == ("PUT", "/internal/aliases"):
            table = json.loads(await self.read_body(receive))
            self.names.replace(table.get("names"), table.get("aliases"))
            self.named = True
            await send_json(send, 200, self.state())
        elif wanted == ("POST", "/internal/drain"):
            self.draining = True
            await send_json(send, 200, self.state())
        elif wanted == ("GET", "/internal/inflight"):
            await send_json(send, 200, self.state())
        else:
            raise Refusal(404, "not_found", "There is no such route.")

    def state(self) -> dict[str, Any]:
        """Return what the launcher wants to know: open requests, counts, the engine's versions."""
        counts = sorted(self.requests.items())
        return {
            "draining": self.draining,
            "inflight": {name: count for name, count in self.inflight.items() if count},
            "requests": [
                {"model": name, "status": status, "count": count}
                for (name, status), count in counts
            ],
            "engine": {
                name: str(getattr(sys.modules[name], "__version__", ""))
                for name in ("vllm", "torch", "transformers")
                if name in sys.modules
            },
        }


def header(scope: Scope, name: bytes) -> bytes:
    """Return the value of a request's header, or nothing."""
    return next((bytes(value) for key, value in scope["headers"] if key == name), b"")


def rewritten(scope: Scope, content: bytes) -> Scope:
    """Return the request's scope for a new body, with the few headers that vLLM needs."""
    kept = [(name, value) for name, value in scope["headers"] if name in HEADERS_KEPT]
    length = str(len(content)).encode()
    ours = [(b"content-type", b"application/json"), (b"content-length", length)]
    return {**scope, "headers": kept + ours}


def replayed(content: bytes, receive: Receive) -> Receive:
    """Return a `receive` that yields `content` once, then what the connection says (it ended)."""
    pending = [content]

    async def receive_again() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return receive_again
