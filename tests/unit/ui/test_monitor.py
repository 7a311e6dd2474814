"""What the Monitor tab is made from."""

import asyncio
import time

import pytest
from prometheus_client import CollectorRegistry

from fakes.clock import FakeClock
from fakes.stack import Stack
from ui.config import UiSettings
from ui.drain import Drain
from ui.metrics import UiMetrics
from ui.upstream.backend import Backend
from ui.upstream.calls import QUICK_SECONDS
from ui.watch.health import LIMIT_SECONDS
from ui.watch.monitor import FRESH_SECONDS, MonitorSource

# Promised: nothing spins for ever, and whatever hangs is given up within two seconds.
PROMISED_SECONDS = 2.0


@pytest.fixture
def clock() -> FakeClock:
    """The time."""
    return FakeClock()


@pytest.fixture
def source(backend: Backend, clock: FakeClock) -> MonitorSource:
    """Asks the stand-ins."""
    return MonitorSource(backend, Drain(5), clock)


async def test_everything_is_asked_at_once(source: MonitorSource, stack: Stack) -> None:
    """Services, GPUs, the run that is followed, and alerts."""
    watched = await source.watched()
    assert {health.state for health in watched.health} == {"ok"}
    assert watched.gpus == stack.gpus
    assert watched.training.chosen == stack.runs[0]
    assert watched.alarms.known


async def test_many_pages_cost_one_round(
    source: MonitorSource, stack: Stack, clock: FakeClock
) -> None:
    """An answer is shared for a moment, also with who presses the button again and again."""
    first = await source.watched()
    stack.trainer_up = False
    assert await source.watched() is first
    clock.now += FRESH_SECONDS
    second = await source.watched()
    assert second.gpus is None
    assert second.training.runs is None
    assert second.at > first.at


async def test_services_that_hang_cost_two_seconds_together(stack: Stack) -> None:
    """Each hangs by itself; the answer comes all the same, and says so."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    settings = UiSettings.from_environ(dict.fromkeys(stack.urls, url))
    backend = Backend(settings, UiMetrics(CollectorRegistry()))
    started = time.monotonic()
    watched = await MonitorSource(backend, Drain(5)).watched()
    assert time.monotonic() - started < 30.0  # a busy machine may take its time
    assert max(LIMIT_SECONDS, QUICK_SECONDS) < PROMISED_SECONDS
    assert {health.cause for health in watched.health[1:]} == {"timeout"}
    assert watched.gpus is None
    assert not watched.alarms.known
    await backend.close()
    server.close()
