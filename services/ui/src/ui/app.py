"""Build the service: our probes, and the page at `/`."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import gradio as gr
from fastapi import FastAPI
from gradio.routes import App
from prometheus_client import CollectorRegistry
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.errors import ErrorBody
from kit.app import Lifespan, create_service_app, error_response
from ui import VERSION
from ui.access.entrance import entrance
from ui.access.fence import Fence
from ui.access.gate import Gate, user_of
from ui.access.rates import Buckets
from ui.access.visitors import Doorkeeper
from ui.addresses import tab_routes
from ui.blocks import FrugalStates
from ui.catalog import CatalogSource
from ui.chat.talk import Talk
from ui.config import UiSettings
from ui.crowd import watch_queue
from ui.drain import Drain
from ui.kept.courier import Courier
from ui.kept.keeping import Keeping, keeping
from ui.look import FAVICON, sheets, theme
from ui.metrics import UiMetrics
from ui.page import Page
from ui.swift import swift_router
from ui.tabs import TABS
from ui.texts import accepted_language, texts_in
from ui.upstream.backend import Backend
from ui.you import You

# What a form adds to the file in it.
FORM_BYTES = 64 << 10
# Nothing on the page may reach another host: not a font, not an image in a model's reply.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
# Pages and programs that are remembered; an open page speaks up every few seconds.
VISITORS = 1000
# Where Gradio takes messages over plain HTTP.
CHAT_PATHS = ("/call/chat", "/call/v2/chat")
# Replies that have begun take some seconds, and so does the next start.
RETRY_SECONDS = 15
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


def create_app(settings: UiSettings) -> FastAPI:
    """Return the service with its page.

    `app.state.drain` ends it; `app.state.registry` holds its metrics, which have a port of their
    own: the page's is published.
    """
    registry = CollectorRegistry()
    metrics = UiMetrics(registry)
    backend = Backend(settings, metrics)
    drain = Drain(settings.shutdown_seconds)
    kept = keeping(settings.state_dir)
    app = create_service_app(
        "ui",
        registry=registry,
        version=VERSION,
        ready=drain.reasons,
        max_body_bytes=(settings.upload_mb << 20) + FORM_BYTES,
        lifespan=lifespan_of(backend, kept),
        metrics=False,
    )
    app.add_middleware(Doorkeeper, visitors=backend.visitors)
    app.add_middleware(ClosedDoor, drain=drain)
    guard(app, settings, kept, metrics)
    app.include_router(You(kept, backend, settings.root_path).router())
    app.include_router(tab_routes([tab.id for tab in TABS], settings.root_path))
    app.include_router(swift_router())
    rates = Buckets(settings.chats_per_minute, 60 / settings.chats_per_minute)
    talk = Talk(backend, CatalogSource(backend), settings.max_tokens, drain, rates)
    page = Page(settings, talk, kept)
    watch_queue(page.blocks, metrics, backend.visitors.__len__)
    metrics.votes_waiting.set_function(kept.votes_waiting)
    app.state.registry = registry
    app.state.kept = kept
    app.state.drain = ending(drain, mount(app, page, settings))
    return app


def lifespan_of(backend: Backend, kept: Keeping) -> Lifespan:
    """Return what runs beside the page: votes that wait are sent; at the end all is closed."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with Courier(kept.ballots, backend).running():
            yield
        await backend.close()
        kept.state.close()

    return lifespan


def guard(app: FastAPI, settings: UiSettings, kept: Keeping, metrics: UiMetrics) -> None:
    """Put the gate before everything, and the log-in's routes before Gradio's own."""
    uploads = Buckets(settings.uploads_per_hour, 3600 / settings.uploads_per_hour)
    way_in = entrance(settings, kept.state, metrics.login_failed)
    if way_in.routes:
        app.include_router(way_in.routes)
    app.add_middleware(Fence, uploads=uploads)
    app.add_middleware(
        Gate, door=way_in.door, login=way_in.routes is not None, prefix=settings.root_path
    )
    app.add_middleware(GuardHeaders)


def mount(app: FastAPI, page: Page, settings: UiSettings) -> App:
    """Put the page at `/`; return Gradio's app."""
    gr.mount_gradio_app(
        app,
        page.blocks,
        path="/",
        allowed_paths=[],
        max_file_size=f"{settings.upload_mb}mb",
        auth_dependency=user_of,
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
        css_paths=sheets(),
    )
    mounted = next(route.app for route in app.routes if isinstance(route, Mount))
    assert isinstance(mounted, App)
    mounted.state_holder = FrugalStates(page.blocks, VISITORS)
    return mounted


def ending(drain: Drain, mounted: App) -> Callable[[], Awaitable[None]]:
    """Return what has to be awaited before the port closes."""

    async def end() -> None:
        call_in(mounted.get_blocks())
        await drain.finish()
        # Each open page holds a stream of heartbeats that ends with this event only.
        mounted.stop_event.set()

    return end


def call_in(blocks: gr.Blocks) -> None:
    """Let in who waits for a free place, and who comes: to learn now that there will be none."""
    queue = blocks._queue
    queue.default_concurrency_limit = None
    for waiting in queue.event_queue_per_concurrency_id.values():
        waiting.concurrency_limit = None


class ClosedDoor:
    """Middleware: `/chat` over plain HTTP is refused with 503 while the service ends.

    The page and `gradio_client` take that status for a full queue, so that they are told by the
    turn itself.
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app = app
        self.drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chat = scope["type"] == "http" and scope["method"] == "POST" and is_chat(scope["path"])
        if not chat or not self.drain.draining:
            await self.app(scope, receive, send)
            return
        header = dict(scope["headers"]).get(b"accept-language", b"en").decode("latin-1")
        texts = texts_in(accepted_language(header))
        body = ErrorBody(
            code="draining", message=texts("problem.leaving"), hint=texts("problem.again_soon")
        )
        response = error_response(503, body, {"Retry-After": str(RETRY_SECONDS)})
        await response(scope, receive, send)


def is_chat(path: str) -> bool:
    """Return whether a message is posted to this path, whatever stands before it."""
    return path.rstrip("/").endswith(CHAT_PATHS)


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
