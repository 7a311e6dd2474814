"""Evaluations: did the style take, and better than a prompt does it?"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from contracts.dataset import FileDigest
from contracts.interval import Interval as Interval  # its old place, and readers know it here
from contracts.model import Authored, Name, Recorded, Versioned
from contracts.proof import (
    ContestantFigures,
    Drift,
    ForgettingProbe,
    JudgedPairs,
    PairDifference,
    PromptChoice,
    Rank,
    Reason,
    Verdict,
)
from contracts.sample import Turn

Served = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class EvaluationRequest(Authored):
    """Body of `POST /evaluations`; the models are names that serving answers to."""

    dataset_id: Name
    base: str = Field(default="base", max_length=128)
    tuned: str = Field(default="tonesmith", max_length=128)
    per_style: int = Field(default=20, ge=1, le=1000)
    max_tokens: int = Field(default=96, ge=8, le=2048)
    temperature: float = Field(default=0.0, ge=0, le=2)
    seed: int = Field(default=7, ge=0)
    models: list[Served] = Field(
        default=[], max_length=8, description="further models, asked exactly as the tuned one"
    )
    prompted: bool = Field(
        default=True, description="also ask the base with the best style prompt: the honest rival"
    )
    turns: int = Field(default=3, ge=1, le=8, description="of a conversation; 1: no drift is told")
    conversations: int = Field(
        default=2, ge=0, le=100, description="of each style that go on after their first question"
    )
    prompt_questions: int = Field(
        default=4, ge=1, le=100, description="of each style, only to choose its best prompt"
    )
    probe: bool = Field(default=True, description="ask what fine-tuning may have made it forget")
    judge: bool = Field(default=False, description="also have a language model compare replies")


class Reply(Recorded):
    """A row of `replies.jsonl`: one contestant's answer to one held-out question.

    `dialogues.jsonl` holds the same for the later turns of conversations, `selection.jsonl` for
    the questions by which the style prompts were chosen, `probe.jsonl` for the probe (its style
    is the item's id).
    """

    contestant: str = Field(description="base, prompted, tuned, or the served name of a further")
    model: str
    style: str
    number: int = Field(default=0, description="question of the style, from 0; same for both")
    situation: str | None
    question: str
    reply: str
    predicted_style: str = Field(description="what the judge hears; `(plain)`: no style at all")
    nearest_style: str = Field(default="", description="the likeliest style, plain speech aside")
    strength: float = Field(default=0.0, description="probability that it is the asked style")
    on_topic: bool | None
    defects: list[str] = Field(
        default=[], description="empty, broken, unfinished, echo, repetition"
    )
    finish_reason: str = ""
    turn: int = Field(default=1, description="of the conversation, from 1")
    history: list[Turn] = Field(default=[], description="its own replies before, from turn 2 on")
    prompt: str = Field(default="", description="prompted: which form the style prompt had")
    examples: int = Field(default=0, description="prompted: of the card, in its prompt")
    passed: bool | None = Field(default=None, description="probe: whether the constraints are met")


class Difference(Recorded):
    """Tuned minus base accuracy, question by question, with its 95 % interval."""

    value: float
    interval: Interval


class StyleScore(Recorded):
    """Figures of one style; accuracies and shares are ratios from 0 to 1."""

    id: str
    replies: int
    base_accuracy: float
    tuned_accuracy: float
    on_topic: float | None = Field(description="tuned")
    base_interval: Interval | None = None
    tuned_interval: Interval | None = None
    base_on_topic: float | None = None
    tuned_strength: float | None = Field(default=None, description="mean probability")


class ContestantScore(Recorded):
    """Figures of one contestant over all styles."""

    accuracy: float
    on_topic: float | None
    distinct_2: float = Field(description="distinct character bigrams / all bigrams")
    mean_characters: float
    defects: dict[str, int]
    distinct_1: float = Field(default=0.0, description="distinct characters / all characters")
    model: str = ""
    replies: int = 0
    accuracy_interval: Interval | None = None
    strength: float | None = Field(default=None, description="mean probability of the asked style")
    forced_accuracy: float | None = Field(
        default=None, description="accuracy where the judge may not say that a reply is plain"
    )


class ClassifierScore(Recorded):
    """How far the judge can be trusted: its own accuracy on rows that it was not trained on."""

    trained_rows: int
    plain_rows: int = Field(default=0, description="unstyled rows among them; 0: always a style")
    heldout_rows: int
    accuracy: float
    interval: Interval | None = None
    per_style: dict[str, float] = {}
    confusion: dict[str, dict[str, int]] = Field(default={}, description="asked -> predicted -> n")


class ModelFigures(Recorded):
    """What the trainer measured of the tuned model when it was made, as its manifest says."""

    model_id: Name
    metrics: dict[str, float]


class EvaluationReport(Versioned):
    """`evaluations/<id>/report.json`."""

    id: Name
    created_at: datetime
    request: EvaluationRequest
    styles: list[StyleScore]
    contestants: dict[str, ContestantScore] = Field(
        description="base, tuned; prompted and further models by their served names, where asked"
    )
    confusion: dict[str, dict[str, int]] = Field(description="tuned: asked -> predicted -> n")
    classifier_accuracy: float = Field(description="on the dataset's held-out split")
    verdict: Verdict = Field(
        default="unclear", description="unclear: the judge itself is not good enough"
    )
    difference: Difference | None = None
    questions: Literal["bank", "dataset"] = Field(
        default="bank", description="where the held-out questions come from"
    )
    conditioning: str = ""
    random_accuracy: float = Field(
        default=0.0, description="of a model that speaks in a random style of the right language"
    )
    classifier: ClassifierScore | None = None
    trained: ModelFigures | None = Field(
        default=None, description="of the tuned model, where its manifest is on the volume"
    )
    reasons: list[Reason] = Field(
        default=[], description="why the verdict is not `took`; empty where it is, or in old ones"
    )
    figures: list[ContestantFigures] = Field(
        default=[], description="of each contestant: over all styles (style ``), then each style"
    )
    pairs: list[PairDifference] = Field(
        default=[], description="every two contestants, question by question, the better first"
    )
    ranking: list[Rank] = Field(default=[], description="by style strength; ties share a place")
    prompts: list[PromptChoice] = Field(default=[], description="the prompted's, by style")
    drift: list[Drift] = Field(default=[], description="over the turns of conversations")
    probe: ForgettingProbe | None = None
    judged: JudgedPairs | None = Field(default=None, description="by a language model, if asked")
    natural_surprisal: dict[str, float] = Field(
        default={}, description="of held-out rows by language: what `surprisal` is to be held to"
    )


class EvaluationManifest(Versioned):
    """`evaluations/<id>/manifest.json`, written last."""

    id: Name
    created_at: datetime
    files: dict[str, FileDigest]
