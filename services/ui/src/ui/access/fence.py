"""Between people who are both logged in: a Gradio session belongs to who used it first.

Gradio keeps a page's state, its queue and its streams under a name that the page makes up
(`session_hash`), and asks nobody whether it is theirs. Here each name is bound to its person: in a
body, in a query and in a path. It also bounds what is read into memory.
"""

import json
import re
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.errors import ErrorBody
from kit.app import error_response
from ui.access.gate import USER, spoken
from ui.access.rates import Buckets

API = "/gradio_api/"
# Names that are remembered: a page uses one for as long as it is open.
MOST_SESSIONS = 50_000
# Longer than any that Gradio's page or its client makes up.
LONGEST_NAME = 128
KEY = "session_hash"
# Where Gradio's paths name one, or an event that may go for one. No other part of a path is looked
# at: whoever names a session `queue` must not own everybody's way to the queue.
IN_PATH = re.compile(API + r"(?:heartbeat|stream|call/(?:v2/|(?!v2/))[^/]+)/([^/]+)")


class Owners:
    """Whose each session is.

    Args:
        most: names that are remembered; beyond it the one that was quiet longest is forgotten.
    """

    def __init__(self, most: int = MOST_SESSIONS) -> None:
        self.most = most
        self._owners: OrderedDict[str, str] = OrderedDict()

    def claim(self, session: str, user: str) -> bool:
        """Return whether a session is this user's; who comes first has it, by a name of bounds."""
        if len(session) > LONGEST_NAME:
            return False
        owner = self._owners.setdefault(session, user)
        if owner != user:
            return False
        self._owners.move_to_end(session)
        while len(self._owners) > self.most:
            self._owners.popitem(last=False)
        return True


class Fence:
    """Middleware: nobody reaches another person's session, and uploads are bounded.

    Args:
        app: what is behind it; the gate stands before it.
        uploads: how often each person may send files.
        body_bytes: the longest JSON body.
    """

    def __init__(self, app: ASGIApp, uploads: Buckets, body_bytes: int = 1 << 20) -> None:
        self.app = app
        self.uploads = uploads
        self.body_bytes = body_bytes
        self.owners = Owners()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one event of the server."""
        user = scope.get(USER)
        if scope["type"] != "http" or not user or API not in scope["path"]:
            await self.app(scope, receive, send)
            return
        if is_upload(scope) and (wait := self.uploads.take(user)):
            texts = spoken(scope)
            body = ErrorBody(code="rate", message=texts("problem.uploads"))
            headers = {"Retry-After": str(int(wait) + 1)}
            await error_response(429, body, headers)(scope, receive, send)
            return
        await self.guarded(scope, receive, send, user)

    async def guarded(self, scope: Scope, receive: Receive, send: Send, user: str) -> None:
        """Let a request through if all that it names is its user's."""
        body = None
        if scope["method"] == "POST" and not is_upload(scope):
            if is_form(
                scope
            ):  # Gradio reads a session out of it, and no component of ours sends one
                await error_response(415, ErrorBody(code="form", message="no forms here"))(
                    scope, receive, send
                )
                return
            body = await whole_body(receive, self.body_bytes)
            if body is None:
                refused = ErrorBody(code="too_large", message=f"over {self.body_bytes} bytes")
                await error_response(413, refused)(scope, receive, send)
                return
            receive = replayed(body, receive)
        if self.allowed(scope, body, user):
            await self.app(scope, receive, send)
            return
        refused = ErrorBody(code="not_yours", message=spoken(scope)("login.not_yours"))
        await error_response(403, refused)(scope, receive, send)

    def allowed(self, scope: Scope, body: bytes | None, user: str) -> bool:
        """Return whether every session that a request names is its user's."""
        return all(self.owners.claim(name, user) for name in sessions_in(scope, body))


def sessions_in(scope: Scope, body: bytes | None) -> Iterator[str]:
    """Yield the names of sessions in a query, a path, and a body."""
    for key, value in parse_qsl(scope["query_string"].decode("latin-1")):
        if key == KEY:
            yield value
    yield from IN_PATH.findall(scope["path"])
    found = parsed(body).get(KEY) if body else None
    if isinstance(found, str) and found:
        yield found


def parsed(body: bytes) -> dict[str, Any]:
    """Return a JSON object; anything else, which Gradio refuses itself, as an empty one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_upload(scope: Scope) -> bool:
    """Return whether files are sent."""
    return bool(scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/upload"))


def is_form(scope: Scope) -> bool:
    """Return whether a body is a form of several parts."""
    return Headers(scope=scope).get("content-type", "").lower().startswith("multipart/")


async def whole_body(receive: Receive, most: int) -> bytes | None:
    """Return a request's body; None: it is longer than `most`."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            return None
    return body


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return what hands on a body that was read already, and then goes on."""
    first = True

    async def receive_again() -> Message:
        nonlocal first
        if first:
            first = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return receive_again
