"""The shared volume: the only place that spells its paths, and reads and writes its documents.

Layout: docs in ARCHITECTURE.md. Writing is staged: fill `staging(...)`, then `publish(...)`.
"""

import os
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from contracts.artefact import CurrentModel, ModelManifest
from contracts.dataset import DatasetManifest
from contracts.durable import discard_folder, publish_folder, write_atomic
from contracts.model import check_name
from contracts.question_set import QuestionSetManifest
from contracts.run import RunRecord

Document = TypeVar("Document", bound=BaseModel)
MANIFEST = "manifest.json"


class Volume:
    """Paths under DATA_DIR and typed access to the documents on it.

    Args:
        root: the data folder; sub-folders are made by whoever writes into them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def style(self, style_id: str) -> Path:
        """Folder of a style's versions."""
        return self._folder("styles", style_id)

    def dataset(self, dataset_id: str) -> Path:
        """Folder of a published dataset."""
        return self._folder("datasets", dataset_id)

    def question_set(self, set_id: str) -> Path:
        """Folder of a published question set."""
        return self._folder("questions", set_id)

    def evaluation(self, evaluation_id: str) -> Path:
        """Folder of a published evaluation."""
        return self._folder("evaluations", evaluation_id)

    def run(self, run_id: str) -> Path:
        """Folder of a run, also while it goes on."""
        return self._folder("runs", run_id)

    def model(self, model_id: str) -> Path:
        """Folder of a published model."""
        return self._folder("models", model_id)

    def export(self, export_id: str) -> Path:
        """Folder of a model in another form."""
        return self._folder("exports", export_id)

    @property
    def current_path(self) -> Path:
        """The file that says what serving must serve."""
        return self.root / "models" / "current.json"

    def staging(self, target: Path) -> Path:
        """Folder beside `target` in which it is prepared; a left-over one is kept for resume."""
        folder = target.with_name(f".tmp-{target.name}")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def publish(self, target: Path, manifest: BaseModel) -> None:
        """Write the manifest into `staging(target)`, last, and give the folder its final name."""
        staging = self.staging(target)
        write_document(staging / MANIFEST, manifest)
        publish_folder(staging, target)

    def discard(self, target: Path) -> None:
        """Throw away `staging(target)`."""
        discard_folder(target.with_name(f".tmp-{target.name}"))

    def dataset_manifest(self, dataset_id: str) -> DatasetManifest:
        """Return the manifest of a published dataset. Raises FileNotFoundError, ValueError."""
        return read_document(self.dataset(dataset_id) / MANIFEST, DatasetManifest)

    def question_set_manifest(self, set_id: str) -> QuestionSetManifest:
        """Return the manifest of a published question set. Raises FileNotFoundError, ValueError."""
        return read_document(self.question_set(set_id) / MANIFEST, QuestionSetManifest)

    def run_record(self, run_id: str) -> RunRecord:
        """Return what a run says of itself. Raises FileNotFoundError, ValueError."""
        return read_document(self.run(run_id) / "run.json", RunRecord)

    def model_manifest(self, model_id: str) -> ModelManifest:
        """Return the manifest of a published model. Raises FileNotFoundError, ValueError."""
        return read_document(self.model(model_id) / MANIFEST, ModelManifest)

    def current_model(self) -> CurrentModel | None:
        """Return what serving must serve, or None before the first promotion."""
        try:
            return read_document(self.current_path, CurrentModel)
        except FileNotFoundError:
            return None

    def published(self, kind: str) -> list[str]:
        """Return the ids of the published artefacts of `kind` (datasets, models, ...), sorted."""
        folder = self.root / kind
        if not folder.is_dir():
            return []
        names = (entry.name for entry in os.scandir(folder) if entry.is_dir())
        return sorted(
            name
            for name in names
            if not name.startswith(".") and (folder / name / MANIFEST).is_file()
        )

    def _folder(self, kind: str, name: str) -> Path:
        return self.root / kind / check_name(name)


def read_document(path: Path, model: type[Document]) -> Document:
    """Return the JSON document at `path`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no valid `model`; the message names the path and the fields.
    """
    content = path.read_bytes()
    try:
        return model.model_validate_json(content)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write_document(path: Path, document: BaseModel) -> None:
    """Write `document` as indented JSON, atomically and durably."""
    write_atomic(path, (document.model_dump_json(indent=2) + "\n").encode())
