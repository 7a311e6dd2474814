"""Whose page it is: the menu in the header, and its routes to take all away or to leave no trace.

Plain forms and links: they work with the keyboard, without a script, and no other site can send
them (`gate.py`). The person comes from the gate, never from what is sent.
"""

import asyncio
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse

from ui.access.doors import LOCAL_USER
from ui.access.gate import asked_texts, user_of
from ui.access.login import form_of
from ui.access.plain import page_html
from ui.errors import ProblemError, StoreError
from ui.kept.conversation_file import as_file
from ui.kept.keeping import Forgotten, Keeping
from ui.texts import Texts
from ui.upstream.backend import Backend

logger = logging.getLogger(__name__)
Auth = Literal["none", "users", "header"]
EXPORT, FORGET, WHO, BACK = "/you/conversations.json", "/you/forget", "/you/who", "/you/back"
PAGE = 100
UNSEEN = {"cache-control": "no-store"}


class You:
    """The routes under `/you`.

    Args:
        kept: what people said, and their votes.
        backend: knows the votes that were sent.
        prefix: the path under which a proxy publishes the page.
    """

    def __init__(self, kept: Keeping, backend: Backend, prefix: str = "") -> None:
        self.kept = kept
        self.backend = backend
        self.prefix = prefix.rstrip("/")

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(include_in_schema=False)
        router.add_api_route(EXPORT, self.export, methods=["GET"], response_model=None)
        router.add_api_route(FORGET, self.forget, methods=["POST"], response_model=None)
        router.add_api_route(WHO, self.who, methods=["GET"], response_model=None)
        router.add_api_route(BACK, self.back, methods=["GET"], response_model=None)
        return router

    async def who(self, request: Request) -> Response:
        """Return who is logged in, for an open page whose log-in ran out."""
        return JSONResponse({"user": user_of(request)}, headers=UNSEEN)

    async def back(self, request: Request) -> Response:
        """Say that the other page goes on, after a log-in beside it."""
        return self.page(asked_texts(request), "you.back", "you.back_hint")

    async def export(self, request: Request) -> Response:
        """Return all conversations with all their branches as one JSON file, piece by piece."""
        name = f"tonesmith-conversations-{datetime.now(UTC):%Y%m%d}.json"
        headers = {**UNSEEN, "content-disposition": f'attachment; filename="{name}"'}
        pieces = exported(self.kept, owner(request))
        return StreamingResponse(pieces, media_type="application/json", headers=headers)

    async def forget(self, request: Request) -> Response:
        """Remove what is kept of a person who typed their name, here and in datagen's votes."""
        user, texts, form = owner(request), asked_texts(request), await form_of(request)
        if form.get("name", "").strip() != user:
            return self.page(texts, "you.not_forgotten", "you.wrong_name", status=422)
        gone = await asyncio.to_thread(self.kept.forget, user)
        try:
            await self.backend.proof.calls.send("DELETE", f"/votes/users/{gone.opaque}", object)
        except ProblemError:
            logger.warning("votes of a person could not be removed from datagen")
            return self.page(texts, "you.partly", "you.partly_hint", gone, status=503)
        return self.page(texts, "you.forgotten", "you.forgotten_hint", gone)

    def page(
        self, texts: Texts, title: str, hint: str, gone: Forgotten | None = None, status: int = 200
    ) -> Response:
        """Return a page that says what happened, with the way on."""
        said = [texts(hint)]
        if gone:
            said.insert(0, texts("you.count", conversations=gone.conversations, votes=gone.votes))
        body = "".join(f"<p>{escape(sentence)}</p>" for sentence in said)
        body += f'<a class="go" href="{escape(self.prefix)}/">{escape(texts("you.home"))}</a>'
        # What the browser's tab kept of the conversation is a part of what was said.
        headers = {**UNSEEN, "clear-site-data": '"cache", "storage"'} if gone else UNSEEN
        return HTMLResponse(page_html(texts, texts(title), body), status, headers)


def exported(kept: Keeping, user: str) -> Iterator[str]:
    """Yield a file of all conversations of a person; one that is deleted meanwhile is left out."""
    yield '{"schema_version": 1, "kind": "tonesmith-conversations", "conversations": ['
    between, offset = "\n", 0
    while found := kept.conversations.listed(user, offset=offset, limit=PAGE):
        offset += len(found)
        for conversation in found:
            try:
                tree = kept.conversations.tree(user, conversation.id)
            except StoreError:
                continue
            content = as_file(conversation, tree).model_dump(mode="json")
            yield between + json.dumps(content, ensure_ascii=False)
            between = ",\n"
    yield "\n]}\n"


def owner(request: Request) -> str:
    """Return whose request it is; the gate lets nobody else come here."""
    return user_of(request) or LOCAL_USER


def you_html(texts: Texts, user: str, auth: Auth, prefix: str) -> str:
    """Return the menu: who is here, the way out, all conversations, and to be forgotten."""
    root = escape(prefix.rstrip("/"))
    name = user if auth != "none" else texts("you.local")
    leave = (
        f'<form method="post" action="{root}/logout"><button>{escape(texts("login.leave"))}'
        "</button></form>"
    )
    return (
        f'<details class="ts-you"><summary title="{escape(texts("you.menu"))}">'
        f'<span aria-hidden="true">{escape(name[:1].upper())}</span><b>{escape(name)}</b></summary>'
        f'<div class="ts-you-menu"><p>{escape(texts(f"you.{auth}", name=user))}</p>'
        f'<a href="{root}{EXPORT}" download>{escape(texts("you.export"))}</a>'
        f"{leave if auth == 'users' else ''}{forget_html(texts, user, root)}</div></details>"
    )


def forget_html(texts: Texts, user: str, root: str) -> str:
    """Return the form to be forgotten, folded away; it asks for the name."""
    return (
        f'<details class="ts-forget"><summary>{escape(texts("you.forget"))}</summary>'
        f'<form method="post" action="{root}{FORGET}?lang={texts.language}">'
        f"<p>{escape(texts('you.forget_hint'))}</p>"
        f"<label>{escape(texts('you.confirm', name=user))}"
        '<input name="name" required autocomplete="off" autocapitalize="none" spellcheck="false">'
        f"</label><button>{escape(texts('you.forget_now'))}</button></form></details>"
    )
