"""Existing dialogues in, an answering model out: by the command line, on the real engines.

`E2E_ROWS=FILE` runs the same journey on a file of your own instead of composed rows.
"""

import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.volume import Volume
from datagen.cards import parse_card
from datagen.compose import styled_reply
from datagen.questions import load_banks
from repository import ROOT

pytestmark = pytest.mark.engines
ROWS_OF_EACH_STYLE = 30
PORTS = ("DATAGEN_PORT", "TRAINER_PORT", "SERVING_PORT", "SERVING_CONTROL_PORT", "UI_PORT")
SOURCES = (
    "libs/contracts",
    "libs/kit",
    "libs/client",
    "cli",
    "services/datagen",
    "services/trainer",
    "services/serving",
    "services/ui",
)
Command = Callable[..., Any]


def composed_rows() -> list[dict[str, str]]:
    """Return rows as people bring them: question, reply, the style's Chinese name."""
    chance = random.Random(11)
    bank = load_banks(ROOT / "services/datagen/questions")["zh"]
    rows = []
    for path in sorted((ROOT / "services/datagen/styles").glob("*.yaml")):
        style = parse_card(path.read_bytes())
        for situation in chance.sample(bank.situations, ROWS_OF_EACH_STYLE):
            if style.language == "zh":
                question = bank.draw(situation, "train", chance).text
                reply = styled_reply(style, situation.advice, chance)
                rows.append({"user": question, "assistant": reply, "style": style.names.zh})
    return [*rows, {"user": "在吗", "assistant": "", "style": "傲娇"}]


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the commands run; their data lie under its `var`."""
    return tmp_path_factory.mktemp("journey")


@pytest.fixture(scope="module")
def tonesmith(place: Path) -> Command:
    """Return a function that runs one command and returns the JSON that it prints."""
    for name in ("TRAINER_ENGINE_PYTHON", "SERVING_ENGINE_PYTHON"):
        assert os.environ.get(name), f"{name} names an engine's interpreter (make engines)"
    ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
    environ = (
        os.environ
        | ports
        | {
            "PYTHONPATH": os.pathsep.join(str(ROOT / source / "src") for source in SOURCES),
            "MODELS_DIR": str(ROOT / "services/trainer/bases"),
            "DATAGEN_URL": f"http://127.0.0.1:{ports['DATAGEN_PORT']}",
            "TRAINER_URL": f"http://127.0.0.1:{ports['TRAINER_PORT']}",
            "SERVING_URL": f"http://127.0.0.1:{ports['SERVING_PORT']}",
            "SERVING_CONTROL_URL": f"http://127.0.0.1:{ports['SERVING_CONTROL_PORT']}",
        }
    )

    def run(*arguments: str) -> Any:
        command = [sys.executable, "-m", "tonesmith", *arguments]
        ended = subprocess.run(command, cwd=place, env=environ, capture_output=True, text=True)
        assert ended.returncode == 0, f"{arguments}: {ended.stdout}{ended.stderr}"
        return json.loads(ended.stdout) if "--json" in arguments else ended.stdout

    return run


@pytest.fixture(scope="module")
def stack(tonesmith: Command) -> Iterator[None]:
    """The embedded stack, while the module's tests run."""
    tonesmith("up", "--detach")
    yield
    tonesmith("down")


@pytest.fixture(scope="module")
def dataset(place: Path, tonesmith: Command) -> str:
    """Return the dataset that the import published, with no service running."""
    file = Path(os.environ["E2E_ROWS"]) if "E2E_ROWS" in os.environ else None
    if file is None:
        file = place / "rows.json"
        file.write_text(json.dumps(composed_rows(), ensure_ascii=False), encoding="utf-8")
    rows = len(json.loads(file.read_text(encoding="utf-8")))
    result = tonesmith("import", str(file), "--json")
    assert result["accepted"] + sum(result["rejected"].values()) == rows
    assert result["accepted"] >= 0.8 * rows
    return str(result["dataset_id"])


def test_imported_rows_are_published_under_the_data_folder(place: Path, dataset: str) -> None:
    """The import works with no service running and leaves a whole dataset."""
    manifest = Volume(place / "var/data").dataset_manifest(dataset)
    assert manifest.source == "imported"
    assert manifest.rows["train"] + manifest.rows["eval"] == manifest.counts.accepted


def test_model_of_imported_rows_answers_when_promoted(
    dataset: str, stack: None, tonesmith: Command
) -> None:
    """Fifty steps on them run, pass the parity gate, and answer through vLLM."""
    run = tonesmith("train", "--dataset", dataset, "--steps", "50", "--json")
    promoted = tonesmith("promote", str(run["model_id"]), "--json")
    assert promoted["result"]["served_name"] == "tonesmith.v1"
    answer = tonesmith(
        "chat", "-m", "明天要上台演讲，心里七上八下的", "--style", "tsundere", "--json"
    )
    assert str(answer["reply"]).strip()
