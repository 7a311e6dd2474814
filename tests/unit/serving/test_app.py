"""The control application."""

from pathlib import Path

import httpx
import pytest

from contracts.volume import Volume
from fakes.published import write_current
from fakes.serving_process import fake_engine, free_port
from serving.app import create_app
from serving.config import ServingSettings


async def test_control_port_tells_the_truth_while_nothing_is_served(
    settings: ServingSettings,
) -> None:
    """Healthy, not ready with a reason, a status, and metrics that never fail a scrape."""
    app = create_app(settings, environ={})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://control"
    ) as client:
        assert (await client.get("/health")).status_code == 200
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["waiting"])
        assert (await client.get("/status")).json()["state"] == "waiting"
        engine = await client.get("/engine/metrics")
        assert (engine.status_code, engine.text) == (200, "")
        assert "serving_state" in (await client.get("/metrics")).text


async def test_engines_metrics_are_shown_while_it_runs(
    settings: ServingSettings, tmp_path: Path
) -> None:
    """The life of the application is the launcher's; vLLM's series come through."""
    write_current(Volume(settings.data_dir), 1, {})
    changes = {"engine_python": fake_engine(tmp_path), "port": free_port()}
    app = create_app(settings.model_copy(update=changes), environ={}, poll_seconds=0.02)
    control = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://control")
    async with app.router.lifespan_context(app), control as client:
        while (await client.get("/ready")).status_code != 200:
            pass
        assert "vllm:" in (await client.get("/engine/metrics")).text
    assert app.state.launcher.child is None


@pytest.mark.parametrize(
    "body", [{}, {"holder": "../x"}, {"holder": "r", "ttl_seconds": 0}, {"holder": "r", "ttl": 3}]
)
async def test_bad_wish_for_the_gpu_is_malformed(settings: ServingSettings, body: object) -> None:
    """The field is named, and nobody holds a lease."""
    app = create_app(settings, environ={})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
        answer = await client.post("/lease", json=body)
        assert answer.status_code == 422
        assert answer.json()["error"]["field"]
        assert (await client.get("/lease")).status_code == 404


async def test_lent_launcher_is_healthy_but_not_ready(settings: ServingSettings) -> None:
    """Its probes and its status say who has the GPU."""
    app = create_app(settings.model_copy(update={"port": free_port()}), environ={})
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
        lease = (await client.post("/lease", json={"holder": "run-1"})).json()
        assert lease["state"] == "granted"
        assert (await client.get("/health")).status_code == 200
        ready = await client.get("/ready")
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["lent to run-1"])
        status = (await client.get("/status")).json()
        assert (status["state"], status["lease"]) == ("lent", lease)
        await app.state.launcher.drain()
        assert (await client.post("/lease", json={"holder": "run-2"})).status_code == 503
