"""A fake embeddings endpoint: `python -m fakes.embeddings_server --port 9001`.

Its vectors are honest in a small way: hashed character pairs, so texts that share words are near.
It refuses what real ones refuse: too many texts at once (400), too long or empty ones (400), a
wrong key (401) or model (404), and it can be told to fail the first calls with any status.
"""

import argparse
import json
import zlib
from typing import Any

import uvicorn

from fakes.teacher import Receive, Scope, Send, read

MODEL = "fake-embedding"
WIDTH = 512


class EmbeddingsServer:
    """An ASGI app that answers `POST /v1/embeddings`.

    Args:
        key: that it wants; none by default.
        most: texts that it takes at once.
        longest: characters that it takes of one text.
        failures: statuses of the first calls, answered in order; 0 is garbage with status 200.
        width: numbers of a vector.
    """

    def __init__(
        self,
        *,
        key: str = "",
        most: int = 2048,
        longest: int = 8192,
        failures: list[int] | None = None,
        width: int = WIDTH,
    ) -> None:
        self.key = key
        self.most = most
        self.longest = longest
        self.failures = failures or []
        self.width = width
        self.calls: list[list[str]] = []

    @property
    def texts(self) -> list[str]:
        """Every text that got a vector, in order."""
        return [text for call in self.calls for text in call]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = json.loads(await read(receive) or b"{}")
        status, document = self.answer(scope, body)
        headers = [(b"content-type", b"application/json"), (b"retry-after", b"0")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(document).encode()})

    def answer(self, scope: Scope, body: dict[str, Any]) -> tuple[int, object]:
        """Return the status and the document for a request."""
        if scope["path"] != "/v1/embeddings" or body.get("model") != MODEL:
            return 404, {"error": {"message": "no such model"}}
        sent = dict(scope["headers"]).get(b"authorization", b"").decode()
        if self.key and sent != f"Bearer {self.key}":
            return 401, {"error": {"message": "wrong key"}}
        if self.failures:
            status = self.failures.pop(0)
            return status or 200, {"error": {"message": "not now"}}
        texts = body["input"]
        if len(texts) > self.most:
            return 400, {"error": {"message": f"at most {self.most} texts"}}
        if not all(0 < len(text) <= self.longest for text in texts):
            return 400, {"error": {"message": f"1 to {self.longest} characters"}}
        self.calls.append(texts)
        data = [{"index": at, "embedding": self.vector(text)} for at, text in enumerate(texts)]
        return 200, {"model": MODEL, "data": data[::-1]}  # the order is that of `index`

    def vector(self, text: str) -> list[float]:
        """Return the counts of the text's pairs of characters, by their hash."""
        found = [0.0] * self.width
        for pair in zip(text, text[1:] + "$", strict=True):
            found[zlib.crc32("".join(pair).encode()) % self.width] += 1.0
        return found


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9001)
    parser.add_argument("--most", type=int, default=2048)
    options = parser.parse_args()
    server = EmbeddingsServer(most=options.most)
    uvicorn.run(server, host="127.0.0.1", port=options.port, lifespan="off", log_level="warning")


if __name__ == "__main__":
    main()
