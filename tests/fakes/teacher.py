"""A teacher that misbehaves on demand: an OpenAI-compatible ASGI app with fault modes.

It logs every request body in `calls`, so that a test can tell which ones were asked twice.
"""

import asyncio
import gzip
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from enum import StrEnum
from typing import Any

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Answer = Callable[[dict[str, Any]], str]
JSON, HTML = "application/json", "text/html"


class Fault(StrEnum):
    """How a call goes wrong."""

    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    HANG = "hang"
    EMPTY_CHOICES = "empty_choices"
    HTML_PAGE = "html_page"
    TRUNCATED_JSON = "truncated_json"
    WRONG_JSON = "wrong_json"
    BAD_UTF8 = "bad_utf8"
    HUGE = "huge"
    GZIP_BOMB = "gzip_bomb"
    REDIRECT = "redirect"
    BAD_KEY = "bad_key"
    REFUSED = "refused"


# Faults after which the same request may succeed.
TRANSIENT = [
    Fault.THROTTLED,
    Fault.SERVER_ERROR,
    Fault.HANG,
    Fault.EMPTY_CHOICES,
    Fault.HTML_PAGE,
    Fault.TRUNCATED_JSON,
    Fault.WRONG_JSON,
    Fault.BAD_UTF8,
    Fault.HUGE,
    Fault.GZIP_BOMB,
]


class FakeTeacher:
    """The app.

    Args:
        answer: returns the reply to a request's body.
        faults: one for each of the first calls; None answers well.
        delay: seconds before an answer.
        retry_after: seconds asked for by a THROTTLED answer.

    A call whose number is over `limit`, where there is one, waits until a test raises that.
    """

    def __init__(
        self,
        answer: Answer,
        faults: Iterable[Fault | None] = (),
        *,
        delay: float = 0.0,
        retry_after: str = "2",
    ) -> None:
        self.answer = answer
        self.faults = deque(faults)
        self.always: Fault | None = None
        self.delay = delay
        self.retry_after = retry_after
        self.limit: int | None = None
        self.calls: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        body = json.loads(await read(receive))
        self.calls.append(body)
        await self.turn(len(self.calls))
        fault = self.always or (self.faults.popleft() if self.faults else None)
        await asyncio.sleep(3600 if fault is Fault.HANG else self.delay)
        status, kind, content, headers = self.respond(fault, body)
        lines = [(b"content-type", kind.encode()), *headers]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": content})

    async def turn(self, number: int) -> None:
        """Wait until the call of this number may be answered."""
        while self.limit is not None and number > self.limit:  # noqa: ASYNC110 set by a thread
            await asyncio.sleep(0.005)

    def respond(
        self, fault: Fault | None, body: dict[str, Any]
    ) -> tuple[int, str, bytes, list[tuple[bytes, bytes]]]:
        """Return status, content type, content and headers."""
        good = json.dumps(completion(self.answer(body))).encode()
        answers: dict[Fault | None, tuple[int, str, bytes, list[tuple[bytes, bytes]]]] = {
            None: (200, JSON, good, []),
            Fault.THROTTLED: (429, JSON, b"{}", [(b"retry-after", self.retry_after.encode())]),
            Fault.SERVER_ERROR: (500, JSON, b"{}", []),
            Fault.EMPTY_CHOICES: (200, JSON, b'{"choices": []}', []),
            Fault.HTML_PAGE: (200, HTML, b"<html><body>please sign in</body></html>", []),
            Fault.TRUNCATED_JSON: (200, JSON, good[:-20], []),
            Fault.WRONG_JSON: (200, JSON, b'{"choices": [{"message": {"content": 7}}]}', []),
            Fault.BAD_UTF8: (200, JSON, good[:40] + b"\xff\xfe" + good[40:], []),
            Fault.REDIRECT: (302, JSON, b"", [(b"location", b"http://169.254.169.254/v1")]),
            Fault.BAD_KEY: (401, JSON, b"{}", []),
            Fault.REFUSED: (400, JSON, b"{}", []),
        }
        if fault is Fault.HUGE:
            return 200, JSON, b" " * (5 << 20) + good, []
        if fault is Fault.GZIP_BOMB:
            return 200, JSON, gzip.compress(b" " * (8 << 20)), [(b"content-encoding", b"gzip")]
        return answers[fault]


def completion(text: str) -> dict[str, Any]:
    """Return the body of a chat answer."""
    message = {"role": "assistant", "content": text}
    return {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": len(text)},
    }


async def read(receive: Receive) -> bytes:
    """Return the body of a request."""
    content = b""
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            return content


async def lifespan(receive: Receive, send: Send) -> None:
    """Start and stop as the server asks."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
