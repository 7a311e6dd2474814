"""What serving's tests share: a base, a volume, and a fake vLLM behind the real gate."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from contracts.volume import Volume
from fakes.gated_engine import GatedEngine, gated_engine
from fakes.launched import Served
from fakes.published import tiny_base
from fakes.serving_process import fake_engine
from serving.bases import Base, read_base
from serving.config import ServingSettings
from serving.metrics import ServingMetrics
from serving.sync import Synchroniser


@pytest.fixture
def engine() -> GatedEngine:
    """A fake engine with small limits."""
    return gated_engine()


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    """A folder with one base, `starter`."""
    tiny_base(tmp_path / "bases" / "starter")
    return tmp_path / "bases"


@pytest.fixture
def base(models_dir: Path) -> Base:
    """The base as serving reads it."""
    return read_base(models_dir, "starter")


@pytest.fixture
def volume(tmp_path: Path) -> Volume:
    """An empty volume."""
    return Volume(tmp_path / "data")


@pytest.fixture
def settings(tmp_path: Path, models_dir: Path) -> ServingSettings:
    """Settings on temporary folders."""
    return ServingSettings(
        data_dir=tmp_path / "data", models_dir=models_dir, state_dir=tmp_path / "state"
    )


@pytest.fixture
def metrics() -> ServingMetrics:
    """Metrics in a registry of their own."""
    return ServingMetrics(CollectorRegistry())


@pytest.fixture
def sync(
    settings: ServingSettings,
    volume: Volume,
    base: Base,
    engine: GatedEngine,
    metrics: ServingMetrics,
) -> Synchroniser:
    """A synchroniser of the fake engine."""
    return Synchroniser(settings, volume, base, engine.backend, metrics)


@pytest.fixture
async def served(tmp_path: Path, models_dir: Path) -> AsyncIterator[Served]:
    """A launcher that is not started yet; it is ended in any case."""
    async with Served(tmp_path, models_dir, fake_engine(tmp_path)) as made:
        yield made
