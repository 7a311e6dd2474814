"""The fake of vLLM with the pace of a real one, for measuring what stands between it and a reader.

    python -m fakes.paced_vllm --port 23001 --first 0.1 --token 0.02

A reply begins with `MARK`, which nothing else on the way says, after `first` seconds; then comes a
word each `token` seconds, as many as the question asks for ("... in 60 words").
"""

import argparse
import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fakes.vllm_server import FakeVllm

MARK = "Zq7firstpiece"
WORDS = re.compile(r"(\d+) words")
USUAL_WORDS = 60
SERVED = ("tonesmith", "tonesmith.v1")


class PacedVllm(FakeVllm):
    """Speaks at the pace that it is given.

    Args:
        first: seconds before the first piece of a reply.
        token: seconds before each further one.
    """

    def __init__(self, first: float, token: float) -> None:
        super().__init__()
        self.first = first
        self.token = token
        self.adapters = dict.fromkeys(SERVED, "")

    async def answer(self, request: Request, body: Any, messages: list[Any]) -> Response:
        """Reply, piece by piece in any case."""
        wanted = WORDS.search(messages[-1]["content"])
        words = int(wanted[1]) if wanted else USUAL_WORDS
        return StreamingResponse(self.paced(body["model"], words), media_type="text/event-stream")

    async def paced(self, model: str, words: int) -> AsyncIterator[str]:
        """Yield a reply of so many pieces."""
        for number in range(words):
            await asyncio.sleep(self.token if number else self.first)
            delta = {"content": f"word{number} " if number else f"{MARK} "}
            yield event({"model": model, "choices": [{"index": 0, "delta": delta}]})
        usage = {"prompt_tokens": 9, "completion_tokens": words}
        yield event({"model": model, "choices": [], "usage": usage})
        yield "data: [DONE]\n\n"


def event(body: dict[str, object]) -> str:
    """Return a server-sent event."""
    return f"data: {json.dumps(body)}\n\n"


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--first", type=float, default=0.1)
    parser.add_argument("--token", type=float, default=0.02)
    told = parser.parse_args()
    app = PacedVllm(told.first, told.token).app
    uvicorn.run(app, host="127.0.0.1", port=told.port, log_level="warning")


if __name__ == "__main__":
    main()
