"""A fake of serving's launcher: lends a GPU that nobody uses, with faults on demand.

    python tests/fakes/launcher.py --port 24150 --drain-seconds 5

It answers `/lease` as the real one does, which tests/unit/serving/test_lease_routes.py holds it to.
`calls` tells who asked for what; the other attributes are faults that a test may set at any time.
"""

import argparse
import asyncio
import secrets
import time
from datetime import timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.identity import now


class FakeLauncher:
    """The launcher's state and its application, `app`.

    Args:
        token: the bearer token that changes need, where there is one.
        drain_seconds: how long an asked lease stays `draining`.
    """

    def __init__(self, token: str = "", drain_seconds: float = 0.0) -> None:
        self.token = token
        self.drain_seconds = drain_seconds
        self.answer_seconds = 0.0  # pause before each answer
        self.broken = 0  # status of every answer, where not 0
        self.lease: dict[str, Any] | None = None
        self.asked_at = self.beaten_at = 0.0
        self.calls: list[str] = []
        routes = [
            Route("/lease", self.take, methods=["POST"]),
            Route("/lease", self.show),
            Route("/lease/{id}", self.renew, methods=["PUT"]),
            Route("/lease/{id}", self.end, methods=["DELETE"]),
        ]
        self.app = Starlette(routes=routes)

    def lend(self, holder: str, ttl_seconds: float = 30.0) -> None:
        """Lend the GPU, as if `holder` had asked for it."""
        self.asked_at = self.beaten_at = time.monotonic()
        lease = {"id": f"lease-{secrets.token_hex(3)}", "holder": holder, "granted_at": None}
        self.lease = lease | {"state": "draining", "ttl_seconds": ttl_seconds}

    def forget(self) -> None:
        """Forget the lease, as a restart does."""
        self.lease = None

    def held(self) -> dict[str, Any] | None:
        """Return the lease as of now."""
        if not self.lease:
            return None
        if (
            self.lease["state"] == "draining"
            and time.monotonic() > self.asked_at + self.drain_seconds
        ):
            self.lease |= {"state": "granted", "granted_at": now().isoformat()}
            self.beaten_at = time.monotonic()
        ttl = self.lease["ttl_seconds"]
        if self.lease["state"] == "granted" and time.monotonic() > self.beaten_at + ttl:
            self.calls.append("expired")
            self.lease = None
            return None
        return self.lease | {"expires_at": (now() + timedelta(seconds=ttl)).isoformat()}

    async def trouble(self, request: Request) -> Response | None:
        """Note a call; return what stands in its way."""
        self.calls.append(request.method)
        await asyncio.sleep(self.answer_seconds)
        if self.broken:
            return problem(self.broken, "broken", "out of order")
        given = request.headers.get("authorization", "")
        if self.token and request.method != "GET" and given != f"Bearer {self.token}":
            return problem(401, "unauthorized", "The bearer token is missing or wrong.")
        return None

    async def take(self, request: Request) -> Response:
        """Lend, or 409."""
        if trouble := await self.trouble(request):
            return trouble
        body = await request.json()
        held = self.held()
        if held and held["holder"] != body["holder"]:
            return problem(409, "lease_held", f"the GPU is lent to {held['holder']}")
        if not held:
            self.lend(body["holder"], body["ttl_seconds"])
        self.beaten_at = time.monotonic()
        return JSONResponse(self.held(), 202)

    async def show(self, request: Request) -> Response:
        """Return the lease, or 404."""
        if trouble := await self.trouble(request):
            return trouble
        if held := self.held():
            return JSONResponse(held)
        return problem(404, "not_found", "nobody has asked for the GPU")

    async def renew(self, request: Request) -> Response:
        """Take a heartbeat, or 404."""
        if trouble := await self.trouble(request):
            return trouble
        held = self.held()
        if not held or held["id"] != request.path_params["id"]:
            return problem(404, "not_found", "there is no such lease")
        self.beaten_at = time.monotonic()
        return JSONResponse(held)

    async def end(self, request: Request) -> Response:
        """Take the GPU back, or 404."""
        if trouble := await self.trouble(request):
            return trouble
        held = self.held()
        if not held or held["id"] != request.path_params["id"]:
            return problem(404, "not_found", "there is no such lease")
        self.lease = None
        return Response(status_code=204)


def problem(status: int, code: str, message: str) -> Response:
    """Return an error in our envelope."""
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--drain-seconds", type=float, default=0.0)
    options = parser.parse_args()
    app = FakeLauncher(drain_seconds=options.drain_seconds).app
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
