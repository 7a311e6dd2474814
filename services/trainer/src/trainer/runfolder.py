"""A run's folder: prepared from a request before the engine starts, read while it runs."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.dataset import DatasetManifest
from contracts.durable import digest_differences, write_atomic
from contracts.job import Job
from contracts.run import RunEvent, RunRecord, RunRequest
from contracts.volume import Volume, write_document
from kit.errors import InvalidInputError
from trainer.bases import CHATML, TEMPLATE, Base
from trainer.golden import conversations
from trainer.recipe import Places, Recipe, dataset_info, engine_arguments, recipe_yaml


@dataclass(frozen=True)
class Ingredients:
    """What a request names, looked up."""

    request: RunRequest
    recipe: Recipe
    base: Base
    dataset: DatasetManifest


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

    def prepare(self, given: Ingredients, golden: Path, settings: dict[str, int]) -> None:
        """Write what the engine reads: recipe, plan, dataset description, chat template.

        Args:
            given: what the request names.
            golden: the file of golden conversations.
            settings: `keep_checkpoints` and `reply_tokens`.

        Raises InvalidInputError where the dataset is damaged.
        """
        folder = self.volume.dataset(given.dataset.id).resolve()
        if faults := digest_differences(folder, given.dataset.files):
            raise InvalidInputError(
                f"dataset {given.dataset.id} is damaged: {faults[0]}", field="dataset_id"
            )
        places = Places(base=given.base.path, dataset=folder, run=self.path)
        arguments = engine_arguments(given.recipe, given.request, given.dataset, places, CHATML)
        evaluates = arguments["eval_dataset"] is not None
        info = dataset_info(folder, columns(folder), evaluates=evaluates)
        self.path.mkdir(parents=True, exist_ok=True)
        self._write("recipe.yaml", recipe_yaml(arguments))
        self._write("dataset_info.json", json.dumps(info, indent=1))
        if not (self.path / TEMPLATE).exists():
            self._write(TEMPLATE, given.base.chat_template)
        self._write("plan.json", json.dumps(self.plan(given, golden, settings), indent=1))

    def plan(self, given: Ingredients, golden: Path, settings: dict[str, int]) -> dict[str, Any]:
        """Return the engine's plan: how many checkpoints stay, and what to export where."""
        target = self.volume.model(self.run_id).resolve()
        return {
            "keep_checkpoints": settings["keep_checkpoints"],
            "export": {
                "folder": str(target.with_name(f".tmp-{target.name}")),
                "base": str(given.base.path),
                "template": CHATML,
                "chat_template": str(self.path / TEMPLATE),
                "enable_thinking": False,
                "reply_tokens": settings["reply_tokens"],
                "golden": conversations(golden, given.dataset.styles),
            },
        }

    def rank(self) -> dict[str, Any]:
        """Return what the engine last said of itself; nothing before its first word."""
        return self._document("rank-0.json")

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
        """Remove the last ending and the wish to cancel, before the engine starts again."""
        self.cancel.unlink(missing_ok=True)
        (self.path / "outcome.json").unlink(missing_ok=True)

    def events(self) -> list[RunEvent]:
        """Return the run's events in the order of the steps; a line being written is left out."""
        path = self.path / "events.jsonl"
        if not path.exists():
            return []
        lines = path.read_bytes().split(b"\n")[:-1]
        return [RunEvent.model_validate_json(line) for line in lines if line]

    def _document(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, text: str) -> None:
        write_atomic(self.path / name, text.encode())


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
