"""What the gate answers itself: refusals, and small JSON bodies."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TYPES = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}


class Refusal(Exception):
    """A request that the gate does not let through.

    Args:
        status: HTTP status.
        code: stable, for programs.
        message: one sentence, for people.
        field: the field at fault, as a dotted path.
        hint: what to do next.
        retry_after: seconds after which the same request may pass.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        hint: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field
        self.hint = hint
        self.retry_after = retry_after

    @property
    def body(self) -> dict[str, Any]:
        """The error in our envelope, with the two keys that OpenAI's clients look for."""
        kind = TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request")
        error = {"code": self.code, "message": str(self), "field": self.field, "hint": self.hint}
        return {"error": error | {"type": kind, "param": self.field}}

    async def send(self, send: Send) -> None:
        """Answer with this refusal."""
        headers = [] if self.retry_after is None else [("retry-after", str(self.retry_after))]
        await send_json(send, self.status, self.body, headers)


async def send_json(
    send: Send, status: int, body: Any, headers: list[tuple[str, str]] | None = None
) -> None:
    """Answer with `body` as JSON."""
    content = json.dumps(body, ensure_ascii=False).encode()
    lines = [("content-type", "application/json"), ("content-length", str(len(content)))]
    raw = [(name.encode(), value.encode()) for name, value in [*lines, *(headers or [])]]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})
