"""A launcher in this process with a fake engine in another."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import httpx
from prometheus_client import CollectorRegistry

from contracts.artefact import ServingStatus
from contracts.volume import Volume
from fakes.serving_process import free_port
from serving.config import ServingSettings
from serving.launch import Launcher
from serving.metrics import ServingMetrics

POLL = 0.02


class Served:
    """A launcher in this process, its engine in another; `async with` ends both.

    Args:
        folder: for the volume and the state.
        models_dir: where the base models lie.
        engine: what takes vLLM's place.
        clock: of the launcher.
    """

    def __init__(
        self,
        folder: Path,
        models_dir: Path,
        engine: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = ServingSettings(
            data_dir=folder / "data",
            models_dir=models_dir,
            state_dir=folder / "state",
            engine_python=engine,
            port=free_port(),
            shutdown_seconds=60,
            silence_seconds=0.2,
        )
        self.volume = Volume(self.settings.data_dir)
        self.registry = CollectorRegistry()
        metrics = ServingMetrics(self.registry)
        self.launcher = Launcher(self.settings, metrics, environ={}, clock=clock, poll_seconds=POLL)
        url = f"http://127.0.0.1:{self.settings.port}"
        self.client = httpx.AsyncClient(base_url=url, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.launcher.drain()
        await self.client.aclose()

    async def wait(self, wanted: Callable[[ServingStatus], bool]) -> ServingStatus:
        """Return the first status that `wanted` accepts."""
        async with asyncio.timeout(60):
            while not wanted(self.launcher.status):  # noqa: ASYNC110 a state, not an event
                await asyncio.sleep(POLL)
        return self.launcher.status

    async def ready(self) -> ServingStatus:
        """Wait until it serves."""
        return await self.wait(lambda status: status.state == "ready")

    async def chat(self, model: str) -> httpx.Response:
        """Ask for a reply."""
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
        return await self.client.post("/v1/chat/completions", json=body)
