"""How a call fails: the service refused, nobody answers, or what it sent cannot be used."""

import json
from typing import Any

from contracts.errors import ErrorBody

MESSAGE_LIMIT = 600


class ServiceError(Exception):
    """A service answered with an error.

    Args:
        status: the HTTP status.
        body: what went wrong, where, and the way out.
    """

    def __init__(self, status: int, body: ErrorBody) -> None:
        super().__init__(f"{body.message} (HTTP {status})")
        self.status = status
        self.body = body


class ServiceDownError(Exception):
    """Nobody answers at `url`, or the connection broke.

    Args:
        url: the address of the service.
        reason: what the connection said.
    """

    def __init__(self, url: str, reason: str = "") -> None:
        super().__init__(f"nobody answers at {url}" + (f" ({reason})" if reason else ""))
        self.url = url
        self.reason = reason


class ArchiveError(Exception):
    """An archive is damaged, unsafe to unpack, or holds other files than its manifest says.

    Nothing of it was kept; the message names what is wrong with it.
    """


def error_body(status: int, content: bytes) -> ErrorBody:
    """Return the error of a response; a body in another shape is quoted, never a new error.

    Reads our envelope and OpenAI's (`message`, `param`, a `code` that may be a number).
    """
    try:
        found: Any = json.loads(content)
    except ValueError:
        found = content.decode(errors="replace").strip()
    if isinstance(found, dict):
        found = found.get("error", found)
    if not isinstance(found, dict):
        return ErrorBody(
            code="http_error", message=str(found)[:MESSAGE_LIMIT] or f"HTTP status {status}"
        )
    return ErrorBody(
        code=str(found.get("code") or "http_error"),
        message=str(found.get("message") or found)[:MESSAGE_LIMIT],
        field=text_or_none(found.get("field") or found.get("param")),
        hint=text_or_none(found.get("hint")),
    )


def text_or_none(value: object) -> str | None:
    """Return `value` as text, or None where there is none."""
    return str(value) if value else None
