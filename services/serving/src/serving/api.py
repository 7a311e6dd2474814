"""Routes of the control port: what is served, and the engine's own metrics."""

from fastapi import APIRouter, Response

from contracts.artefact import ServingStatus
from serving.errors import EngineError
from serving.launch import Launcher

PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def routes(launcher: Launcher) -> APIRouter:
    """Return `GET /status` and `GET /engine/metrics`."""
    router = APIRouter(tags=["serving"])

    @router.get("/status")
    async def status() -> ServingStatus:
        return launcher.status

    @router.get("/engine/metrics", include_in_schema=False)
    async def engine_metrics() -> Response:
        """vLLM's metrics; empty, not an error, while there is no engine: the target is up."""
        try:
            content = await launcher.sync.backend.metrics() if launcher.sync else b""
        except EngineError:
            content = b""
        return Response(content, media_type=PROMETHEUS_TEXT)

    return router
