"""A teacher that fails at random, blacks out on demand, and keeps the bill that it would send."""

import asyncio
import json
import random
from enum import StrEnum
from typing import Any

from fakes.teacher import Answer, FakeTeacher, Receive, Scope, Send, completion, lifespan, read

INPUT_DOLLARS, OUTPUT_DOLLARS = 2.0, 8.0
HUGE_BYTES = 10 << 20
FOREIGN = "Please take a deep breath first, and then take one small step. Well, well."
Headers = list[tuple[bytes, bytes]]


class Trouble(StrEnum):
    """How a call goes wrong."""

    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CUT_STREAM = "cut_stream"
    GARBAGE = "garbage"
    WRONG_LANGUAGE = "wrong_language"
    EMPTY = "empty"
    HUGE = "huge"


UNPAID = {Trouble.THROTTLED: 429, Trouble.SERVER_ERROR: 500}


class FaultyTeacher(FakeTeacher):
    """The app; whatever it has begun to answer is on the bill, also where nobody gets it.

    Args:
        answer: returns the reply to a request's body.
        share: of calls that go wrong, all kinds alike.
        seed: of the faults.
        delay: seconds before an answer.
    """

    def __init__(self, answer: Answer, *, share: float, seed: int, delay: float = 0.01) -> None:
        super().__init__(answer, delay=delay)
        self.share = share
        self.chance = random.Random(seed)
        self.dark = False
        self.dollars = 0.0
        self.troubles: dict[str, int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or fail to."""
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
            return
        body = json.loads(await read(receive))
        self.calls.append(body)
        if self.dark:
            await reply(send, 503, b"{}")
            return
        trouble = None
        if self.chance.random() < self.share:
            trouble = self.chance.choice(list(Trouble))
            self.troubles[trouble.value] = self.troubles.get(trouble.value, 0) + 1
        if trouble in UNPAID:
            await reply(send, UNPAID[trouble], b"{}", [(b"retry-after", b"0.05")])
            return
        text = (
            {Trouble.WRONG_LANGUAGE: FOREIGN, Trouble.EMPTY: ""}.get(trouble) if trouble else None
        )
        answer = self.charged(body, self.answer(body) if text is None else text)
        if trouble is Trouble.TIMEOUT:
            await hung_up(receive)
            return
        await asyncio.sleep(self.delay)
        await self.deliver(send, trouble, json.dumps(answer).encode())

    async def deliver(self, send: Send, trouble: Trouble | None, content: bytes) -> None:
        """Send an answer that has been charged, whole or not."""
        if trouble is Trouble.GARBAGE:
            await reply(send, 200, content[: len(content) // 2])
        elif trouble is Trouble.HUGE:
            await reply(send, 200, b" " * HUGE_BYTES + content)
        elif trouble is Trouble.CUT_STREAM:
            length = [(b"content-length", str(len(content)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": length})
            # Returning here breaks the connection in the middle of the body.
            await send({"type": "http.response.body", "body": content[:40], "more_body": True})
        else:
            await reply(send, 200, content)

    def charged(self, body: dict[str, Any], text: str) -> dict[str, Any]:
        """Return an answer, and put it on the bill."""
        sent = sum(len(message["content"]) for message in body["messages"])
        usage = {"prompt_tokens": sent, "completion_tokens": len(text)}
        self.dollars += (sent * INPUT_DOLLARS + len(text) * OUTPUT_DOLLARS) / 1e6
        return completion(text) | {"usage": usage}


async def hung_up(receive: Receive) -> None:
    """Return once the client has lost its patience."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def reply(send: Send, status: int, content: bytes, headers: Headers | None = None) -> None:
    """Send a whole response."""
    lines = [(b"content-type", b"application/json"), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": content})
