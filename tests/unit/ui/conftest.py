"""A page's own services against the stand-ins, over real connections."""

import inspect
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from prometheus_client import CollectorRegistry

from fakes.serving_process import until
from fakes.stack import Stack, running_stack
from ui.catalog import CatalogSource
from ui.chat.talk import Talk
from ui.config import UiSettings
from ui.drain import Drain
from ui.metrics import UiMetrics
from ui.upstream.backend import Backend


@pytest.fixture(scope="session")
def shared_stack() -> Iterator[Stack]:
    """The stand-ins, started once."""
    with running_stack() as stack:
        yield stack


@pytest.fixture
def stack(shared_stack: Stack) -> Iterator[Stack]:
    """The stand-ins as they are when all is well; no reply outlives the test that asked for it."""
    urls = shared_stack.urls
    shared_stack.__dict__.update(Stack(urls=urls).__dict__)
    yield shared_stack
    shared_stack.delay = 0.0
    until(lambda: not shared_stack.streaming, 30)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who always answers has the time for it that a busy machine takes."""
    monkeypatch.setattr("ui.catalog.STATE_SECONDS", 30.0)
    usual = inspect.signature(httpx.get).parameters["timeout"].default
    for part in ("connect", "read", "write", "pool"):
        monkeypatch.setattr(usual, part, 60.0)


@pytest.fixture
def registry() -> CollectorRegistry:
    """The metrics of one test."""
    return CollectorRegistry()


@pytest.fixture
async def backend(stack: Stack, registry: CollectorRegistry) -> AsyncIterator[Backend]:
    """Clients of the stand-ins."""
    backend = Backend(UiSettings.from_environ(stack.urls), UiMetrics(registry))
    yield backend
    await backend.close()


@pytest.fixture
def talk(backend: Backend) -> Talk:
    """Asks the stand-ins."""
    return Talk(backend, CatalogSource(backend), max_tokens=256, drain=Drain(5))


@pytest.fixture
def talk_source(talk: Talk) -> CatalogSource:
    """Asks the stand-ins what there is."""
    return talk.source
