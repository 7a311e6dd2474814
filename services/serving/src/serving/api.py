"""Routes of the control port: what is served, the GPU's lease, and the engine's own metrics."""

from fastapi import APIRouter, Response

from contracts.artefact import ServingStatus
from contracts.lease import Lease, LeaseRequest
from kit.errors import NotFoundError, UnavailableError
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
        """vLLM's metrics, as it says them. Empty while there is no engine: the target is up.

        One that is ready and says nothing is down, and must look so.
        """
        try:
            content = await launcher.sync.backend.metrics() if launcher.sync else b""
        except EngineError as error:
            if launcher.status.state == "ready":
                raise UnavailableError("vLLM does not tell its metrics") from error
            content = b""
        return Response(content, media_type=PROMETHEUS_TEXT)

    return router


def lease_routes(launcher: Launcher) -> APIRouter:
    """Return `POST /lease`, `GET /lease`, and `PUT` and `DELETE /lease/{id}`."""
    router = APIRouter(prefix="/lease", tags=["lease"])

    @router.post("", status_code=202)
    async def take(request: LeaseRequest) -> Lease:
        """Ask for the GPU; the same holder may ask again, which renews."""
        return await launcher.lend_to(request)

    @router.get("")
    async def show() -> Lease:
        if lease := launcher.leases.held():
            return lease
        raise NotFoundError("nobody has asked for the GPU")

    @router.put("/{lease_id}")
    async def renew(lease_id: str) -> Lease:
        return launcher.leases.renew(lease_id)

    @router.delete("/{lease_id}", status_code=204)
    async def end(lease_id: str) -> None:
        launcher.leases.end(lease_id)

    return router
