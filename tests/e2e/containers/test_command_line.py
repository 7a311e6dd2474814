"""The host's command against the containers: no address, no token, no port given."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from compose_file import SERVICES
from fakes.compose_project import ComposeProject
from repository import ROOT

pytestmark = pytest.mark.container
Command = Callable[..., Any]
COMMAND_SECONDS = 600
SOURCES = [*ROOT.glob("libs/*/src"), *ROOT.glob("services/*/src"), ROOT / "cli/src"]
OURS = ("TONESMITH_", "DATAGEN_", "TRAINER_", "SERVING_", "UI_", "API_TOKEN_", "BASE_MODEL")


@pytest.fixture(scope="module")
def tonesmith(stack: ComposeProject, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return a function that runs one command and returns the JSON that it prints."""
    folder = tmp_path_factory.mktemp("elsewhere")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environ = kept | {
        "TONESMITH_PROJECT": stack.name,
        "PYTHONPATH": os.pathsep.join(map(str, SOURCES)),
    }

    def run(*arguments: str) -> Any:
        ended = subprocess.run(
            [sys.executable, "-m", "tonesmith", *arguments, "--json"],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, f"{arguments}: {ended.stdout}{ended.stderr}"
        return json.loads(ended.stdout)

    return run


def test_status_knows_every_container(tonesmith: Command) -> None:
    """All four answer, through Docker's API where they publish no port."""
    services = tonesmith("status")["services"]
    assert set(services) == {service.name for service in SERVICES}
    assert all(one["alive"] and one["ready"] for one in services.values()), services


def test_commands_of_the_readme_work_from_style_to_chat(
    tonesmith: Command, figures: dict[str, object]
) -> None:
    """Generate, train, stage, evaluate, promote, chat: as on a bare machine."""
    began = time.monotonic()
    styles = ("--style", "shy", "--style", "noir-detective")
    dataset = tonesmith("generate", *styles, "--per-style", "30", "--name", "by-command")
    dataset_id = dataset.get("dataset_id") or dataset["id"]
    run = tonesmith("train", "--dataset", dataset_id, "--steps", "10", "--name", "by-command")
    tonesmith("stage", run["model_id"])
    tuned = ("--tuned", "by-command.v1")
    tonesmith("evaluate", "--dataset", dataset_id, *tuned, "--per-style", "1")
    promoted = tonesmith("promote", run["model_id"])
    assert promoted["result"]["served_name"] == "by-command.v1"
    answer = tonesmith("chat", "-m", "我有点怕", "--style", "shy", "--model", "by-command")
    assert answer["reply"].strip()
    figures["journey by commands, seconds"] = round(time.monotonic() - began, 1)
