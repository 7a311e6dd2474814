"""Evaluations: did the style take?"""

from datetime import datetime

from pydantic import Field

from contracts.dataset import FileDigest
from contracts.model import Authored, Name, Recorded, Versioned


class EvaluationRequest(Authored):
    """Body of `POST /evaluations`; the models are names that serving answers to."""

    dataset_id: Name
    base: str = Field(default="base", max_length=128)
    tuned: str = Field(default="tonesmith", max_length=128)
    per_style: int = Field(default=20, ge=1, le=1000)
    max_tokens: int = Field(default=96, ge=8, le=2048)
    temperature: float = Field(default=0.0, ge=0, le=2)
    seed: int = Field(default=7, ge=0)


class Reply(Recorded):
    """A row of `replies.jsonl`: one contestant's answer to one held-out question."""

    contestant: str
    model: str
    style: str
    situation: str | None
    question: str
    reply: str
    predicted_style: str
    on_topic: bool | None
    defects: list[str] = Field(default=[], description="empty, broken, echo, repetition")


class StyleScore(Recorded):
    """Figures of one style; accuracies and shares are ratios from 0 to 1."""

    id: str
    replies: int
    base_accuracy: float
    tuned_accuracy: float
    on_topic: float | None


class ContestantScore(Recorded):
    """Figures of one contestant over all styles."""

    accuracy: float
    on_topic: float | None
    distinct_2: float = Field(description="distinct character bigrams / all bigrams")
    mean_characters: float
    defects: dict[str, int]


class EvaluationReport(Versioned):
    """`evaluations/<id>/report.json`."""

    id: Name
    created_at: datetime
    request: EvaluationRequest
    styles: list[StyleScore]
    contestants: dict[str, ContestantScore] = Field(description="base, tuned")
    confusion: dict[str, dict[str, int]] = Field(description="tuned: asked -> predicted -> n")
    classifier_accuracy: float = Field(description="on the dataset's held-out split")


class EvaluationManifest(Versioned):
    """`evaluations/<id>/manifest.json`, written last."""

    id: Name
    created_at: datetime
    files: dict[str, FileDigest]
