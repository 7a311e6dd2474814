"""`var/demo/report.json`: what the demo showed, for programs."""

from pathlib import Path

from pydantic import BaseModel

from contracts.dataset import Counts
from contracts.durable import write_atomic
from contracts.evaluation import EvaluationReport
from contracts.proof import Drift, ForgettingProbe, PairDifference, Rank, Reason


class Engines(BaseModel):
    """Versions as the engines report them."""

    llamafactory: str
    vllm: str
    torch: str


class StyleFigures(BaseModel):
    """One style of the evaluation; ratios from 0 to 1."""

    id: str
    replies: int
    base_accuracy: float
    tuned_accuracy: float
    on_topic: float | None


class SampleCounts(BaseModel):
    """What the generation kept, and why it refused the rest."""

    accepted: int
    rejected: dict[str, int]


class Proof(BaseModel):
    """What the evaluation proved."""

    verdict: str
    reasons: list[Reason]
    ranking: list[Rank]
    pairs: list[PairDifference]
    prompts: dict[str, str]
    drift: list[Drift]
    probe: ForgettingProbe | None


class DemoReport(BaseModel):
    """The whole report: seconds by stage, bytes at the peak, and the figures above."""

    stages: dict[str, float]
    peak_memory_bytes: int
    engines: Engines
    styles: list[StyleFigures]
    samples: SampleCounts
    proof: Proof


def style_figures(report: EvaluationReport) -> list[StyleFigures]:
    """Return the figures of every style of an evaluation."""
    return [
        StyleFigures(**score.model_dump(include=set(StyleFigures.model_fields)))
        for score in report.styles
    ]


def proof_of(report: EvaluationReport) -> Proof:
    """Return what an evaluation proved: the ranking, and the verdict with its reasons."""
    return Proof(
        verdict=report.verdict,
        reasons=report.reasons,
        ranking=report.ranking,
        pairs=report.pairs,
        prompts={one.style: one.form for one in report.prompts},
        drift=report.drift,
        probe=report.probe,
    )


def sample_counts(counts: Counts) -> SampleCounts:
    """Return the counts of a generation."""
    return SampleCounts(accepted=counts.accepted, rejected=counts.rejected)


def write_report(path: Path, report: DemoReport) -> None:
    """Write the report, whole or not at all."""
    write_atomic(path, (report.model_dump_json(indent=2) + "\n").encode())
