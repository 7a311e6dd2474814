"""GPUs as the trainer tells of them, and a Prometheus with alerts: as the page sees them."""

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.responses import JSONResponse, PlainTextResponse

from contracts.gpu import GpuReading, GpuReport
from contracts.identity import now

GIB = 1 << 30
CARD = 80 * GIB


def reading(index: int, used: float, **values: Any) -> GpuReading:
    """Return a healthy card of 80 GiB of which the share `used` is taken, or what `values` say."""
    known: dict[str, Any] = {
        "uuid": f"GPU-{index}",
        "index": index,
        "name": "NVIDIA H100 80GB HBM3",
        "up": True,
        "memory_total_bytes": CARD,
        "memory_used_bytes": int(CARD * used),
        "utilization_ratio": 0.97,
        "power_watts": 612.4,
        "power_limit_watts": 700.0,
        "temperature_celsius": 66.0,
    }
    return GpuReading(**known | values)


def four_gpus() -> GpuReport:
    """Return a card below the band, one within, one above, and a lost one."""
    lost = GpuReading(uuid="GPU-3", index=3, name="NVIDIA H100 80GB HBM3", up=False)
    cards = [reading(0, 0.41, utilization_ratio=0.12), reading(1, 0.93), reading(2, 0.978), lost]
    return GpuReport(available=True, sampled_at=now(), gpus=cards)


def alert(name: str, severity: str, state: str = "firing", **labels: str) -> dict[str, Any]:
    """Return an alert as Prometheus lists it."""
    return {
        "labels": {"alertname": name, "severity": severity, **labels},
        "annotations": {"summary": f"{name} happened", "runbook": "Look at it."},
        "state": state,
        "activeAt": "2026-01-01T00:00:00Z",
        "value": "1e+00",
    }


def prometheus_app(alerts: Callable[[], list[dict[str, Any]]]) -> FastAPI:
    """Return a stand-in of Prometheus that is ready and has raised `alerts()`."""
    app = FastAPI()

    @app.get("/-/ready")
    def ready() -> PlainTextResponse:
        return PlainTextResponse("Prometheus Server is Ready.")

    @app.get("/api/v1/alerts")
    def listed() -> dict[str, Any]:
        return {"status": "success", "data": {"alerts": alerts()}}

    return app


def add_readiness(
    app: FastAPI, reasons: Callable[[], list[str]], seconds: Callable[[], float] = float
) -> None:
    """Add the probe that says, after `seconds()`, why a service cannot work now."""

    @app.get("/ready")
    async def ready() -> JSONResponse:
        await asyncio.sleep(seconds())
        found = reasons()
        status = 503 if found else 200
        return JSONResponse({"ready": not found, "reasons": found}, status_code=status)
