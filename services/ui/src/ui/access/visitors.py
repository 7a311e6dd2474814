"""Who has the page open: a middleware that counts the streams of heartbeats.

Gradio's page and its client for programs each hold one such stream for as long as they are there.
Whether a reply was stopped or its reader has gone looks the same from inside of a turn; the
stream tells the two apart.
"""

from collections import Counter

from gradio.context import LocalContext
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.access.doors import LOCAL_USER

HEARTBEAT = "/heartbeat/"


class Visitors:
    """The open pages and connected programs, by Gradio's name of their session."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._open)

    def come(self, session: str) -> None:
        """Note a page that opens."""
        self._open[session] += 1

    def go(self, session: str) -> None:
        """Note a page that is closed."""
        self._open[session] -= 1
        self._open += Counter()  # drops what is at zero

    def left(self, session: str) -> bool:
        """Return whether nobody of that session is there; without a name nobody can tell."""
        return bool(session) and session not in self._open


def current_session() -> str:
    """Return the session whose event is being handled, or nothing outside of one."""
    request = LocalContext.request.get(None)
    return str(getattr(request, "session_hash", None) or "")


def current_user() -> str:
    """Return whose event is being handled; outside of one, and without a log-in, the local user."""
    request = LocalContext.request.get(None)
    return str(getattr(request, "username", None) or LOCAL_USER)


class Doorkeeper:
    """Middleware: notes in `visitors` who comes and goes.

    Args:
        app: what is served.
        visitors: who is here.
    """

    def __init__(self, app: ASGIApp, visitors: Visitors) -> None:
        self.app = app
        self.visitors = visitors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection event of the server."""
        path = scope["path"] if scope["type"] == "http" else ""
        if HEARTBEAT not in path:
            await self.app(scope, receive, send)
            return
        session, here = path.rsplit(HEARTBEAT, 1)[1], True

        async def receive_noted() -> Message:
            # At once, before Gradio ends the replies of a page that was closed.
            nonlocal here
            message = await receive()
            if here and message["type"] == "http.disconnect":
                here = False
                self.visitors.go(session)
            return message

        self.visitors.come(session)
        try:
            await self.app(scope, receive_noted, send)
        finally:
            if here:
                self.visitors.go(session)
