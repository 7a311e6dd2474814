"""What the end-to-end tests share: one demo, since it takes minutes."""

import os

import pytest

from demo_process import Shown, show_demo

ENGINES = ("TRAINER_ENGINE_PYTHON", "SERVING_ENGINE_PYTHON")


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Run the demo once, in a folder of its own."""
    missing = [name for name in ENGINES if not os.environ.get(name)]
    assert not missing, f"call through make, which sets {missing}"
    return show_demo(tmp_path_factory.mktemp("demo"))
