"""Logging in and out: two routes before Gradio's own, for people and for `gradio_client`.

Every try costs a token of three buckets (this name from this address, the name, the address), and
gets it back if it succeeds: so guessing is slow, and a person who is attacked from elsewhere still
comes in.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from contracts.errors import ErrorBody
from contracts.style import Language
from kit.app import error_response
from kit.errors import TooLargeError
from ui.access.doors import SessionDoor, cookie_line, origin
from ui.access.gate import asked_texts, wants_html
from ui.access.networks import Network
from ui.access.plain import page_html
from ui.access.rates import Buckets
from ui.texts import LANGUAGES, Texts, texts_in

logger = logging.getLogger(__name__)
# A name, a password and a path fit; nothing else is wanted.
FORM_BYTES = 4096
# Each hash takes 32 MiB while it is computed.
HASHES_AT_ONCE = 2
# Tries at once, and the seconds after which there is one more.
PAIR_TRIES, NAME_TRIES, ADDRESS_TRIES = (5, 60.0), (30, 60.0), (30, 30.0)


class Limits:
    """How often somebody may try."""

    def __init__(self) -> None:
        self.buckets = [Buckets(*tries) for tries in (PAIR_TRIES, NAME_TRIES, ADDRESS_TRIES)]

    def take(self, name: str, address: str) -> float:
        """Return 0 for a try that may be made, else the seconds to wait."""
        taken: list[tuple[Buckets, Any]] = []
        for bucket, key in zip(self.buckets, self.keys(name, address), strict=True):
            if wait := bucket.take(key):
                for other, used in taken:
                    other.give_back(used)
                return wait
            taken.append((bucket, key))
        return 0.0

    def forgive(self, name: str, address: str) -> None:
        """Give back a try that succeeded."""
        for bucket, key in zip(self.buckets, self.keys(name, address), strict=True):
            bucket.give_back(key)

    def keys(self, name: str, address: str) -> list[Any]:
        """Return the key in each bucket."""
        return [(name, address), name, address]


class Login:
    """The routes `/login` and `/logout`.

    Args:
        door: knows the sessions.
        proxies: whose word on addresses counts.
        prefix: the path under which a proxy publishes the page.
        failed: is told of each try that was refused, and why: `wrong` or `wait`.
    """

    def __init__(
        self,
        door: SessionDoor,
        proxies: Sequence[Network],
        prefix: str = "",
        failed: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.failed = failed
        self.door = door
        self.proxies = proxies
        self.prefix = prefix.rstrip("/")
        self.limits = Limits()
        self.hashing = asyncio.Semaphore(HASHES_AT_ONCE)

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(include_in_schema=False)
        for path in ("/login", "/login/"):
            router.add_api_route(path, self.form, methods=["GET"], response_model=None)
            router.add_api_route(path, self.enter, methods=["POST"], response_model=None)
        for path in ("/logout", "/logout/"):
            router.add_api_route(path, self.leave, methods=["POST"], response_model=None)
            # Gradio's own route under that name is not for us.
            router.add_api_route(path, self.form, methods=["GET"], response_model=None)
        return router

    async def form(self, request: Request) -> Response:
        """Return the page to log in on; who is in already goes on."""
        after = local_path(request.query_params.get("next", ""))
        if request.url.path.startswith("/login") and self.door.user(request.scope):
            return RedirectResponse(self.prefix + after, status_code=303)
        return self.page(request, after)

    async def enter(self, request: Request) -> Response:
        """Log in with the form's `username` and `password`."""
        form = await form_of(request)
        name, password = form.get("username", "").strip(), form.get("password", "")
        after = local_path(form.get("next", ""))
        address = origin(request.scope, self.proxies)
        if wait := self.limits.take(name[:64], address):
            logger.warning("too many log-ins", extra={"address": address})
            return self.refused(request, after, 429, "login.wait", math.ceil(wait))
        async with self.hashing:
            known = await asyncio.to_thread(self.door.sessions.accounts.verify, name, password)
        if not known:
            logger.warning("a log-in failed", extra={"address": address})
            return self.refused(request, after, 401, "login.wrong")
        self.limits.forgive(name[:64], address)
        return self.entered(request, name, after)

    def entered(self, request: Request, name: str, after: str) -> Response:
        """Return the answer to a log-in: with the cookie, and on to the page."""
        response: Response = JSONResponse({"success": True})
        if wants_html(request.scope):
            response = RedirectResponse(self.prefix + after, status_code=303)
        cookie = self.door.sessions.issue(name)
        seconds = int(self.door.sessions.lifetime)
        response.headers.append("set-cookie", self.cookie(request, cookie, seconds))
        response.headers["cache-control"] = "no-store"
        return response

    async def leave(self, request: Request) -> Response:
        """Log out: the session is over, wherever its cookie is."""
        if session := self.door.session(request.scope):
            await asyncio.to_thread(self.door.sessions.end, session)
        response = RedirectResponse(f"{self.prefix}/login", status_code=303)
        response.headers.append("set-cookie", self.cookie(request, "", 0))
        # What the page kept in the tab belongs to who has left.
        response.headers["clear-site-data"] = '"cache", "storage"'
        return response

    def cookie(self, request: Request, value: str, seconds: int) -> str:
        """Return the line that sets the session's cookie."""
        forwarded = request.headers.get("x-forwarded-proto", "")
        secure = "https" in (request.url.scheme, forwarded)
        path = f"{self.prefix}/" if self.prefix.startswith("/") else "/"
        return cookie_line(self.door.cookie, value, path=path, seconds=seconds, secure=secure)

    def refused(
        self, request: Request, after: str, status: int, key: str, seconds: int = 0
    ) -> Response:
        """Return the answer to a log-in that failed, as a page or as an error."""
        self.failed(key.removeprefix("login."))
        headers = {"Retry-After": str(seconds)} if seconds else {}
        texts = asked_texts(request)
        said = texts(key, seconds=seconds) if seconds else texts(key)
        if wants_html(request.scope):
            return self.page(request, after, said, status, headers)
        return error_response(status, ErrorBody(code="login", message=said), headers)

    def page(
        self, request: Request, after: str, said: str = "", status: int = 200, headers: Any = None
    ) -> Response:
        """Return the log-in page."""
        html = login_html(asked_texts(request), self.prefix, after, said)
        return HTMLResponse(html, status, {**(headers or {}), "cache-control": "no-store"})


def local_path(text: str) -> str:
    """Return where to go after the log-in: a path of this page, never another host."""
    safe = text.startswith("/") and not text.startswith("//") and text.isprintable()
    return text if safe and "\\" not in text and not text.startswith("/log") else "/"


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form. Raises TooLargeError."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > FORM_BYTES:
            raise TooLargeError(f"The form is over {FORM_BYTES} bytes.")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def login_html(texts: Texts, prefix: str, after: str, said: str) -> str:
    """Return the log-in page: one form, no script."""
    alert = f'<p role="alert">{escape(said)}</p>' if said else ""
    body = (
        f'{alert}<form method="post" action="{escape(prefix)}/login?lang={texts.language}">'
        f'<input type="hidden" name="next" value="{escape(after)}">'
        f'<label>{escape(texts("login.name"))}<input name="username" autocomplete="username" '
        'autocapitalize="none" spellcheck="false" required autofocus></label>'
        f'<label>{escape(texts("login.password"))}<input name="password" type="password" '
        'autocomplete="current-password" required></label>'
        f"<button>{escape(texts('login.enter'))}</button></form>"
    )
    links = "".join(switch(texts, prefix, language, after) for language in LANGUAGES)
    return page_html(texts, texts("login.title"), body, f"<nav>{links}</nav>")


def switch(texts: Texts, prefix: str, language: Language, after: str) -> str:
    """Return the link to this page in a language, which it names itself; where to go is kept."""
    name = escape(texts_in(language)("app.language"))
    there = escape(f"{prefix}/login?lang={language}&next={quote(after, safe='/')}")
    here = ' aria-current="true"' if language == texts.language else ""
    return f'<a lang="{language}" href="{there}"{here}>{name}</a>'
