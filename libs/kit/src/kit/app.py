"""Build a service's FastAPI app: health, readiness, metrics, errors and authorisation alike."""

import hmac
import logging
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from os import environ as process_environ
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.errors import ErrorBody, ErrorResponse
from kit.errors import TonesmithError, UnauthorizedError
from kit.exposition import add_standard

logger = logging.getLogger(__name__)
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
READ_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@asynccontextmanager
async def no_lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Nothing to start, nothing to stop."""
    yield


def create_service_app(
    service: str,
    *,
    registry: CollectorRegistry,
    version: str,
    ready: Callable[[], list[str]] = list,
    api_token: str | None = None,
    max_body_bytes: int = 1 << 20,
    lifespan: Lifespan = no_lifespan,
    metrics: bool = True,
    environ: Mapping[str, str] = process_environ,
) -> FastAPI:
    """Return an app with `/health`, `/ready` and `/metrics`, and our error bodies.

    Args:
        service: the service's name, the same everywhere.
        registry: holds the service's metrics; `build_info` and the process's own are added.
        version: of the service.
        ready: returns the reasons why the service is not ready; empty means ready.
        api_token: required as bearer token by every method that changes something.
        max_body_bytes: larger request bodies are refused with 413 before they are read.
        lifespan: starts and stops what the service owns.
        metrics: False leaves `/metrics` out, for a service that exposes them elsewhere.
        environ: its TONESMITH_REVISION goes into `build_info`.
    """
    app = FastAPI(title=f"Tonesmith {service}", version=version, lifespan=lifespan)
    add_standard(registry, service, version, environ)
    add_probes(app, ready)
    if metrics:
        add_metrics(app, registry)
    add_error_handlers(app)
    app.add_middleware(BodyLimit, max_bytes=max_body_bytes)
    if api_token:
        app.add_middleware(BearerToken, token=api_token)
    return app


def add_probes(app: FastAPI, ready: Callable[[], list[str]]) -> None:
    """Add `/health` (the process lives) and `/ready` (it can work)."""

    @app.get("/health", tags=["probes"])
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/ready", tags=["probes"])
    def readiness(response: Response) -> dict[str, Any]:
        reasons = ready()
        response.status_code = 503 if reasons else 200
        return {"ready": not reasons, "reasons": reasons}


def add_metrics(app: FastAPI, registry: CollectorRegistry) -> None:
    """Add `/metrics`, in Prometheus' text format."""

    @app.get("/metrics", tags=["probes"], include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def error_response(status: int, body: ErrorBody, headers: Any = None) -> JSONResponse:
    """Return `body` in the envelope that all services use."""
    return JSONResponse(ErrorResponse(error=body).model_dump(), status_code=status, headers=headers)


def add_error_handlers(app: FastAPI) -> None:
    """Translate every error into `ErrorResponse`, here and nowhere else."""

    @app.exception_handler(TonesmithError)
    async def on_known(_: Request, error: TonesmithError) -> JSONResponse:
        return error_response(error.status, error.body)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(422, validation_body(error.errors()))

    @app.exception_handler(HTTPException)
    async def on_http(_: Request, error: HTTPException) -> JSONResponse:
        body = ErrorBody(code="http_error", message=str(error.detail))
        return error_response(error.status_code, body, error.headers)

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> JSONResponse:
        logger.error("unhandled error in %s", request.url.path, exc_info=error)
        body = ErrorBody(code="internal_error", message="An internal error; see the service's log.")
        return error_response(500, body)


def validation_body(errors: Any) -> ErrorBody:
    """Return the body for pydantic's `errors`: the first field at fault and what it should be.

    The value itself is not repeated: it may be long, or a secret.
    """
    first = errors[0]
    if first["type"] == "json_invalid":
        message = f"the body is no valid JSON: {first.get('ctx', {}).get('error', first['msg'])}"
        return ErrorBody(code="invalid_input", message=message[:600], field="body")
    parts = [str(part) for part in first["loc"]]
    field = ".".join(parts[1:] if parts[:1] == ["body"] and len(parts) > 1 else parts)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    message = f"{field}: {first['msg']}{more}" if field else f"{first['msg']}{more}"
    return ErrorBody(code="invalid_input", message=message[:600], field=field or None)


class BearerToken:
    """Middleware: a method that changes something needs `Authorization: Bearer <token>`."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in READ_METHODS:
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self.expected):
                error = UnauthorizedError("The bearer token is missing or wrong.")
                await error_response(error.status, error.body)(scope, receive, send)
                return
        await self.app(scope, receive, send)


class BodyLimit:
    """Middleware: refuse a body over `max_bytes` with 413, also one that comes in chunks."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if re.fullmatch(rb"\d{1,18}", length) and int(length) > self.max_bytes:
            await self.refuse(scope, receive, send)
            return
        await self.app(scope, self.counted(receive), send)

    def counted(self, receive: Receive) -> Receive:
        """Wrap `receive` so that it fails once more than the limit has come in."""
        seen = 0

        async def receive_counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.max_bytes:
                raise HTTPException(413, f"The body is over {self.max_bytes} bytes.")
            return message

        return receive_counted

    async def refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 413 without reading the body."""
        body = ErrorBody(code="too_large", message=f"The body is over {self.max_bytes} bytes.")
        await error_response(413, body)(scope, receive, send)
