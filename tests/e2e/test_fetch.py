"""A base model from a hub, by the hub's real client in LLaMA-Factory's environment."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.model_hub import ModelHub
from fakes.running import running
from repository import ROOT

pytestmark = pytest.mark.engines
REPOSITORY = "someone/Small-Chat"


@pytest.fixture
def hub(tmp_path: Path) -> ModelHub:
    """A hub with a model, its own template, and files that nobody needs."""
    folder = tmp_path / "hub"
    folder.mkdir()
    files = {
        "config.json": "{}",
        "tokenizer.json": "{}",
        "model.safetensors": "weights",
        "chat_template.jinja": "{{ '<think>' }}",
        "pytorch_model.bin": "pickled",
        "modeling.py": "code",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return ModelHub(folder, REPOSITORY)


@pytest.fixture
def address(hub: ModelHub) -> Iterator[str]:
    """The hub's address."""
    with running(hub.app()) as url:
        yield url


def fetch(endpoint: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Fetch into `folder` as the stack does."""
    python = os.environ["TRAINER_ENGINE_PYTHON"]
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder.parent),
        "HF_ENDPOINT": endpoint,
        "PYTHONPATH": str(ROOT / "services/trainer/src"),
    }
    command = [python, "-m", "trainer.engine.fetch", REPOSITORY, str(folder)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def test_base_is_fetched_once_with_the_template_that_runs_train_with(
    hub: ModelHub, address: str, tmp_path: Path
) -> None:
    """Weights and tokenizer come, pickles and code do not; the second call asks for nothing."""
    folder = tmp_path / "models" / "small-chat"
    folder.parent.mkdir()
    done = fetch(address, folder)
    assert done.returncode == 0, done.stderr
    found = {path.name for path in folder.iterdir()}
    wanted = {"config.json", "tokenizer.json", "model.safetensors"}
    assert found == wanted | {"chat_template.jinja", "chat_template.hub.jinja"}
    assert "<|im_start|>" in (folder / "chat_template.jinja").read_text()
    assert (folder / "chat_template.hub.jinja").read_text() == "{{ '<think>' }}"
    asked = len(hub.fetched)
    assert "there already" in fetch(address, folder).stdout
    assert len(hub.fetched) == asked


def test_download_that_broke_goes_on(hub: ModelHub, address: str, tmp_path: Path) -> None:
    """The folder does not exist until all is there; what came is not fetched again."""
    folder = tmp_path / "models" / "small-chat"
    folder.parent.mkdir()
    hub.broken = "model.safetensors"
    broken = fetch(address, folder)
    assert broken.returncode == 1
    assert "HF_ENDPOINT" in broken.stderr
    assert not folder.exists()
    hub.broken = ""
    assert fetch(address, folder).returncode == 0
    assert hub.fetched.count("tokenizer.json") == 1
    assert (folder / "model.safetensors").read_text() == "weights"


def test_hub_that_does_not_answer_names_the_way_out(tmp_path: Path) -> None:
    """One sentence, no traceback."""
    done = fetch("http://127.0.0.1:9", tmp_path / "base")
    assert done.returncode == 1
    assert "copy the model's folder" in done.stderr
    assert "Traceback" not in done.stderr
