"""The control application."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from prometheus_client import CollectorRegistry

from contracts.volume import Volume
from fakes.published import write_current
from fakes.serving_process import fake_engine, free_port
from kit.app import create_service_app
from serving.api import routes
from serving.app import create_app
from serving.backend import Backend
from serving.config import ServingSettings
from serving.launch import Launcher


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


VLLM_SAYS = (
    "# HELP vllm:num_requests_running Requests.\n# TYPE vllm:num_requests_running gauge\n"
    'vllm:num_requests_running{engine="0",model_name="base"} 2.0\n'
)


class Engine:
    """What the launcher knows of vLLM, as far as its metrics go."""

    def __init__(self, says: str | None) -> None:
        transport = httpx.MockTransport(lambda _: httpx.Response(200 if says else 500, text=says))
        self.backend = Backend("http://engine", "token", transport=transport)


async def engine_metrics(engine: Engine, state: str) -> httpx.Response:
    """Ask for vLLM's metrics where the launcher is in this state."""
    app = create_service_app("serving", registry=CollectorRegistry(), version="0")
    launcher = SimpleNamespace(sync=engine, status=SimpleNamespace(state=state))
    app.include_router(routes(cast(Launcher, launcher)))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://control") as client:
        found = await client.get("/engine/metrics")
    await engine.backend.close()
    return found


async def test_engines_metrics_come_through_unchanged() -> None:
    """Name, labels and type are vLLM's: its own dashboards fit."""
    found = await engine_metrics(Engine(VLLM_SAYS), "ready")
    assert (found.status_code, found.text) == (200, VLLM_SAYS)
    assert found.headers["content-type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(
    ("state", "status"), [("waiting", 200), ("starting", 200), ("draining", 200), ("ready", 503)]
)
async def test_engine_that_says_nothing_is_down_only_where_it_should_be_up(
    state: str, status: int
) -> None:
    """A start takes minutes, and a model may be long in coming: no alarm for that."""
    found = await engine_metrics(Engine(None), state)
    assert found.status_code == status
    assert status == 503 or not found.content


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
