"""Gradio's client with a memory for where its components are.

For every input of an event, and for every property that it changes, the client looks for the
component by walking through the whole page, through proxies that note each step. With some hundred
components that is most of what the browser does: opening a tab took seconds (*measured*: 13.5 s ->
0.3 s on a busy machine; docs/log.md). Here the one script that holds the walk is served with a walk
that remembers the way to each component, and goes it again: what is found is always part of the
page as it is now, and where the way is no longer right it searches as before.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import gradio
from fastapi import APIRouter
from starlette.responses import Response

ASSETS = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"
# The walk as Gradio 6.31 has it; another version is served as it is, and a test says so.
WALK = (
    "function Z(e,t){if(e.id===t)return e;if(e.children)for(let n of e.children)"
    "{let e=Z(n,t);if(e)return e}return null}"
)
SWIFT = (
    "const Zways=new Map;function Zwalk(e,t,w){if(e.id===t){Zways.set(t,w);return e}"
    "if(e.children)for(let i=0;i<e.children.length;i++)"
    "{let n=Zwalk(e.children[i],t,[...w,i]);if(n)return n}return null}"
    "function Z(e,t){let w=Zways.get(t);if(w){let n=e;"
    "for(let i of w){n=n.children?n.children[i]:null;if(!n)break}if(n&&n.id===t)return n}"
    "return Zwalk(e,t,[])}"
)


def swift_scripts() -> dict[str, str]:
    """Return the scripts that are served otherwise than Gradio has them, by file name."""
    found = {}
    for path in ASSETS.glob("core-*.js"):
        text = path.read_text(encoding="utf-8")
        if text.count(WALK) == 1:
            found[path.name] = text.replace(WALK, SWIFT)
    return found


def swift_router() -> APIRouter:
    """Return the routes of these scripts; they have to come before Gradio's own."""
    router = APIRouter()
    for name, text in swift_scripts().items():
        router.add_api_route(f"/assets/{name}", serving(text), include_in_schema=False)
    return router


def serving(text: str) -> Callable[[], Awaitable[Response]]:
    """Return a route that answers with a script."""

    async def script() -> Response:
        return Response(text, media_type="text/javascript", headers={"cache-control": "no-cache"})

    return script
