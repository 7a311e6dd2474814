"""JSON Schemas of the contracts: generated, committed, compared by a test.

python -m contracts.schemas            write libs/contracts/schemas/<Model>.json
python -m contracts.schemas --check    exit with 1 where a committed schema is stale
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from contracts.advice import Advice, AdviceRequest
from contracts.artefact import CurrentModel, ModelManifest, ServingStatus
from contracts.dataset import (
    DatasetManifest,
    DatasetRequest,
    ImportPreview,
    ImportRequest,
    ImportResult,
)
from contracts.errors import ErrorResponse
from contracts.estimate import CostEstimate
from contracts.evaluation import EvaluationManifest, EvaluationReport, EvaluationRequest, Reply
from contracts.export import ExportManifest, ExportRequest
from contracts.gpu import GpuReport
from contracts.job import Job
from contracts.judge import (
    AgreementReport,
    AgreementRequest,
    Compared,
    HumanRow,
    JudgingRequest,
)
from contracts.lease import Lease, LeaseRequest
from contracts.quality import Explanation, ExplanationQuery, Preview, ReportCard, Thresholds
from contracts.question_set import (
    QuestionImport,
    QuestionSetManifest,
    QuestionSetRequest,
    RejectedQuestion,
    SetQuestion,
)
from contracts.review import (
    Review,
    ReviewChange,
    ReviewEdit,
    ReviewPage,
    ReviewPublication,
    ReviewQuery,
    ReviewRegeneration,
    ReviewReplacement,
    ReviewResult,
    ReviewRow,
    ReviewStep,
    ReviewUndo,
)
from contracts.run import RunEvent, RunOutput, RunRecord, RunRequest
from contracts.sample import Rejected, Sample
from contracts.studio import (
    CardDraft,
    ConfusionRequest,
    PreviewRequest,
    StyleConfusion,
    StylePreview,
)
from contracts.style import Style, StyleVersion
from contracts.versions import DatasetDiff, DatasetVersion, Rollback
from contracts.votes import PairRequest, StoredVote, Vote, VoteCounts

# Every document on the volume, and every body that crosses HTTP.
MODELS: tuple[type[BaseModel], ...] = (
    Advice,
    AdviceRequest,
    AgreementReport,
    AgreementRequest,
    CardDraft,
    Compared,
    ConfusionRequest,
    CostEstimate,
    CurrentModel,
    DatasetDiff,
    DatasetManifest,
    DatasetRequest,
    DatasetVersion,
    ErrorResponse,
    EvaluationManifest,
    EvaluationReport,
    EvaluationRequest,
    Explanation,
    ExplanationQuery,
    ExportManifest,
    ExportRequest,
    GpuReport,
    HumanRow,
    ImportPreview,
    ImportRequest,
    ImportResult,
    Job,
    JudgingRequest,
    Lease,
    LeaseRequest,
    ModelManifest,
    PairRequest,
    Preview,
    PreviewRequest,
    QuestionImport,
    QuestionSetManifest,
    QuestionSetRequest,
    Rejected,
    RejectedQuestion,
    Reply,
    ReportCard,
    Review,
    ReviewChange,
    ReviewEdit,
    ReviewPage,
    ReviewPublication,
    ReviewQuery,
    ReviewRegeneration,
    ReviewReplacement,
    ReviewResult,
    ReviewRow,
    ReviewStep,
    ReviewUndo,
    Rollback,
    RunEvent,
    RunOutput,
    RunRecord,
    RunRequest,
    Sample,
    ServingStatus,
    SetQuestion,
    StoredVote,
    Style,
    StyleConfusion,
    StylePreview,
    StyleVersion,
    Thresholds,
    Vote,
    VoteCounts,
)
FOLDER = Path(__file__).resolve().parents[2] / "schemas"


def schema_text(model: type[BaseModel]) -> str:
    """Return the JSON Schema of `model` as it is committed."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | model.model_json_schema()
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def schemas() -> dict[str, str]:
    """Return the text of every schema by its file name."""
    return {f"{model.__name__}.json": schema_text(model) for model in MODELS}


def stale(folder: Path) -> list[str]:
    """Return the names of schemas in `folder` that are missing, outdated or of no model."""
    expected = schemas()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    names = sorted({*expected, *found})
    return [name for name in names if expected.get(name) != found.get(name)]


def write(folder: Path) -> None:
    """Write every schema into `folder`, and remove those of no model."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.json"):
        path.unlink()
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


def main(argv: Sequence[str]) -> int:
    """Write the schemas, or compare them; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m contracts.schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args(argv)
    if not options.check:
        write(options.folder)
        return 0
    for name in (found := stale(options.folder)):
        sys.stderr.write(f"{name} is stale: run python -m contracts.schemas\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
