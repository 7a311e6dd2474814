"""A page's own services against the stand-ins, over real connections."""

from collections.abc import AsyncIterator, Iterator

import pytest
from prometheus_client import CollectorRegistry

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
def stack(shared_stack: Stack) -> Stack:
    """The stand-ins as they are when all is well."""
    urls = shared_stack.urls
    shared_stack.__dict__.update(Stack(urls=urls).__dict__)
    return shared_stack


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
