"""A run's folder: what is written into it before the engine starts, and read while it runs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from contracts.artefact import ModelManifest
from contracts.dataset import DatasetManifest
from contracts.durable import write_atomic
from contracts.job import Job
from contracts.run import RunEvent, RunRecord, RunRequest
from contracts.volume import Volume, write_document
from trainer.arguments import recipe_yaml
from trainer.bases import TEMPLATE, Base
from trainer.recipe import Recipe

# What one engine says of itself; another engine says it anew.
OF_ONE_ENGINE = ("cancel", "outcome.json", "engine.pid", "adopted.json")


@dataclass(frozen=True)
class Ingredients:
    """What a request names, looked up."""

    request: RunRequest
    recipe: Recipe
    base: Base
    dataset: DatasetManifest
    continues: ModelManifest | None = None


class RunFolder:
    """Paths in a run's folder, and its documents.

    Args:
        volume: where the run, its dataset and its model lie.
        run_id: also the id of the model that comes out.
    """

    def __init__(self, volume: Volume, run_id: str) -> None:
        self.volume = volume
        self.run_id = run_id
        self.path = volume.run(run_id).resolve()
        self.log = self.path / "engine.log"
        self.cancel = self.path / "cancel"
        self.checkpoints = self.path / "checkpoints"

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that LLaMA-Factory is told; nothing before they are written."""
        try:
            found = yaml.safe_load((self.path / "recipe.yaml").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found if isinstance(found, dict) else {}

    def plan(self) -> dict[str, Any]:
        """Return our own part of what the engine is told; nothing before it is written."""
        return self._document("plan.json")

    def write_arguments(self, arguments: dict[str, Any]) -> None:
        """Replace the arguments that LLaMA-Factory is told."""
        self.write("recipe.yaml", recipe_yaml(arguments))

    def rank(self) -> dict[str, Any]:
        """Return what the first rank last said of itself; nothing before its first word."""
        return self._document("rank-0.json")

    def ranks(self) -> list[dict[str, Any]]:
        """Return what each rank last said of itself, in the order of their numbers."""
        found = (self._document(path.name) for path in self.rank_files())
        return sorted((one for one in found if one), key=lambda one: int(one.get("rank", 0)))

    def rank_files(self) -> list[Path]:
        """Return the files that the ranks wrote."""
        return list(self.path.glob("rank-*.json"))

    def engine_process(self) -> dict[str, Any]:
        """Return which process the newest engine's first rank is; nothing before its first word."""
        return self._document("engine.pid")

    def outcome(self) -> dict[str, Any]:
        """Return how the engine ended; nothing if it crashed."""
        return self._document("outcome.json")

    def export_report(self) -> dict[str, Any]:
        """Return what the engine exported; nothing if it did not come so far."""
        return self._document("export.json")

    def chat_template(self) -> str:
        """Return the chat template that the run recorded when it began."""
        return (self.path / TEMPLATE).read_text(encoding="utf-8")

    def forget_outcome(self) -> None:
        """Remove what the last engine said of itself, and the wish to cancel it."""
        for name in OF_ONE_ENGINE:
            (self.path / name).unlink(missing_ok=True)

    def events(self) -> list[RunEvent]:
        """Return the run's events in the order of the steps; a line being written is left out."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return []
        lines = path.read_bytes().split(b"\n")[:-1]
        return [RunEvent.model_validate_json(line) for line in lines if line]

    def write(self, name: str, text: str) -> None:
        """Replace a file of the run, so that a reader sees the old or the new one, whole."""
        write_atomic(self.path / name, text.encode())

    def _document(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def first_record(job: Job, folder: RunFolder) -> RunRecord:
    """Return the run's record, or a new one where the service died before writing it."""
    try:
        return folder.volume.run_record(job.id)
    except FileNotFoundError:
        request = RunRequest.model_validate(job.request)
        return RunRecord(id=job.id, state=job.state, request=request, created_at=job.created_at)


def save(folder: RunFolder, record: RunRecord) -> None:
    """Write what the run says of itself."""
    write_document(folder.path / "run.json", record)


def columns(dataset: Path) -> dict[str, str]:
    """Return the dataset's own names of LLaMA-Factory's columns."""
    info = json.loads((dataset / "dataset_info.json").read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = info if isinstance(info, dict) else {}
    named = [each.get("columns", {}) for each in found.values() if not each.get("ranking")]
    return {str(key): str(value) for key, value in (named[0] if named else {}).items()}
