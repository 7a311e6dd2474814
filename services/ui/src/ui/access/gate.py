"""The gate before everything: who is nobody reaches the log-in and the probes, and nothing else.

It stands outside of every route, Gradio's too (page, config, queue, streams, files, uploads), so
that a route that a later Gradio adds is closed from the start. Who is let in is written into the
scope, where Gradio's `auth_dependency` reads it: handlers find it as `gr.Request.username`.
"""

from typing import Any
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import ErrorBody
from kit.app import READ_METHODS, error_response
from ui.access.doors import Door
from ui.texts import Texts, accepted_language, as_language, texts_in

USER = "tonesmith.user"
OPEN_PATHS = frozenset({"/health", "/ready"})
LOGIN_PATHS = frozenset({"/login", "/login/", "/logout", "/logout/"})
# How a websocket is refused before it is accepted: policy violation.
REFUSED = 1008
# A form of another site; browsers say so themselves, whatever a proxy makes of hosts.
FOREIGN = frozenset({"cross-site", "same-site"})


class Gate:
    """Middleware: lets in whom the door knows.

    Args:
        app: what is behind it.
        door: tells who somebody is.
        login: whether there is a page to log in on; else a proxy has one.
        prefix: the path under which a proxy publishes the page.
    """

    def __init__(self, app: ASGIApp, door: Door, login: bool, prefix: str = "") -> None:
        self.app = app
        self.door = door
        self.login = login
        self.prefix = prefix.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one event of the server."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        foreign = is_foreign(scope)
        user = self.door.user(scope)
        if (user or self.is_open(scope)) and not foreign:
            await self.app({**scope, USER: user}, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": REFUSED})
        else:
            await self.refusal(scope, foreign)(scope, receive, send)

    def is_open(self, scope: Scope) -> bool:
        """Return whether a request needs nobody's name."""
        if scope["type"] != "http":
            return False
        return scope["path"] in OPEN_PATHS or (self.login and scope["path"] in LOGIN_PATHS)

    def refusal(self, scope: Scope, foreign: bool) -> Response:
        """Return what somebody unknown is answered: the log-in for a browser, else an error."""
        texts = spoken(scope)
        if foreign:
            body = ErrorBody(code="foreign", message=texts("login.foreign"))
            return error_response(403, body)
        if self.login and scope["method"] == "GET" and wants_html(scope):
            query = scope["query_string"].decode("latin-1")
            after = quote(scope["path"] + (f"?{query}" if query else ""), safe="/")
            return RedirectResponse(f"{self.prefix}/login?next={after}", status_code=303)
        if self.door.refusal != "login.needed":
            return error_response(403, ErrorBody(code="host", message=texts(self.door.refusal)))
        hint = texts("login.hint" if self.login else "login.proxy_hint")
        body = ErrorBody(code="login", message=texts("login.needed"), hint=hint)
        return error_response(401, body)


def user_of(request: Any) -> str | None:
    """Return who a request is from: Gradio's `auth_dependency`."""
    user = request.scope.get(USER)
    return str(user) if user else None


def is_foreign(scope: Scope) -> bool:
    """Return whether another site sends a request that may change something."""
    if scope["type"] == "http" and scope["method"] in READ_METHODS:
        return False
    return Headers(scope=scope).get("sec-fetch-site", "") in FOREIGN


def wants_html(scope: Scope) -> bool:
    """Return whether it is a browser that opens a page."""
    return "text/html" in Headers(scope=scope).get("accept", "")


def spoken(scope: Scope) -> Texts:
    """Return the words in the language that a request accepts."""
    return texts_in(accepted_language(Headers(scope=scope).get("accept-language", "")))


def asked_texts(request: Request) -> Texts:
    """Return the words in the language that was asked for, else the browser's."""
    asked = as_language(request.query_params.get("lang"))
    return texts_in(asked) if asked else spoken(request.scope)
