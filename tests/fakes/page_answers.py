"""How the stand-ins behind a page refuse: one by one, and all at once while they are down."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

# What answers even then: how a service is.
ALWAYS = frozenset({"/ready", "/health"})


def error(status: int, message: str, code: str = "fake") -> JSONResponse:
    """Return an error in the shape that all services share."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


def refuse_while_down(app: FastAPI, up: Callable[[], bool]) -> None:
    """Answer 503 to everything but the probes unless `up()`."""

    @app.middleware("http")
    async def answer(request: Request, proceed: Any) -> Response:
        if not up() and request.url.path not in ALWAYS:
            return error(503, "the service is down")
        response: Response = await proceed(request)
        return response
