"""Build the service: our probes and metrics, and the page at `/`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import gradio as gr
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kit.app import create_service_app
from ui import VERSION
from ui.backend import Backend
from ui.catalog import CatalogSource
from ui.config import UiSettings
from ui.look import FAVICON, STYLE, theme
from ui.metrics import UiMetrics
from ui.page import Page
from ui.talk import Talk

# The page takes no files; Gradio's upload route is there all the same.
MAX_FILE_SIZE = "64kb"
# Nothing on the page may reach another host: not a font, not an image in a model's reply.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


def create_app(settings: UiSettings) -> FastAPI:
    """Return the service with its page."""
    registry = CollectorRegistry()
    backend = Backend(settings, UiMetrics(registry))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await backend.close()

    app = create_service_app("ui", registry=registry, version=VERSION, lifespan=lifespan)
    app.add_middleware(GuardHeaders)
    talk = Talk(backend, CatalogSource(backend), settings.max_tokens)
    gr.mount_gradio_app(
        app,
        Page(settings, talk).blocks,
        path="/",
        allowed_paths=[],
        max_file_size=MAX_FILE_SIZE,
        show_error=False,  # ours are `gr.Error`, which are shown; a bug's text is not
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        pwa=False,
        root_path=settings.root_path or None,
        favicon_path=str(FAVICON),
        theme=theme(),
        css_paths=[STYLE],
    )
    return app


class GuardHeaders:
    """Middleware: every response tells the browser to stay on this host."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await self.app(scope, receive, send_guarded if scope["type"] == "http" else send)
