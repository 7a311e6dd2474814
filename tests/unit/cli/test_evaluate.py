"""Tests of what `tonesmith evaluate` tells: the ranking, the verdict with its reasons."""

import io

from rich.console import Console

from contracts.evaluation import EvaluationReport
from contracts.interval import Interval
from contracts.proof import (
    ContestantFigures,
    Drift,
    Figure,
    ForgettingProbe,
    ProbeScore,
    PromptChoice,
    Rank,
    Reason,
)
from fakes.tonesmith_services import EVALUATION
from tonesmith.commands.evaluate import REASONS, findings, places


def figure(value: float) -> Figure:
    """Return a figure with an interval of ten points around it."""
    return Figure(value=value, interval=Interval(low=value - 0.05, high=value + 0.05), count=80)


def figures(contestant: str, value: float) -> ContestantFigures:
    """Return figures that are all the same."""
    names = ("strength", "accuracy", "defect_free", "distinct_1", "distinct_2", "characters")
    return ContestantFigures(contestant=contestant, **dict.fromkeys(names, figure(value)))


OLD = EvaluationReport.model_validate(EVALUATION)
REPORT = OLD.model_copy(
    update={
        "verdict": "partly",
        "reasons": [Reason.NO_BETTER_THAN_PROMPT, Reason.FORGOT],
        "figures": [figures("tuned", 0.9), figures("prompted", 0.88), figures("base", 0.1)],
        "ranking": [
            Rank(place=1, contestant="tuned", strength=figure(0.9)),
            Rank(place=1, contestant="prompted", strength=figure(0.88)),
            Rank(place=3, contestant="base", strength=figure(0.1)),
        ],
        "prompts": [
            PromptChoice(
                style="calm", form="shots", strengths={}, questions=4, examples=1, left_out=3
            )
        ],
        "drift": [
            Drift(
                contestant="tuned",
                turns=[figure(0.9), figure(0.5)],
                slope=figure(-0.4),
                verdict="cannot_tell",
            )
        ],
        "probe": ForgettingProbe(
            items=36,
            scores=[
                ProbeScore(contestant="base", right=figure(0.8)),
                ProbeScore(contestant="tuned", right=figure(0.2)),
            ],
            difference=figure(-0.6),
            verdict="forgot",
        ),
    }
)


def test_equals_share_a_place_and_every_figure_has_its_interval() -> None:
    """Unknown figures are a dash."""
    console = Console(file=io.StringIO(), width=160)
    console.print(places(REPORT))
    assert isinstance(console.file, io.StringIO)
    lines = [line for line in console.file.getvalue().splitlines() if "%" in line]
    rows = [[cell.strip() for cell in line.strip("│ ").split("│")] for line in lines]
    assert [(row[0], row[1]) for row in rows] == [("1", "tuned"), ("1", "prompted"), ("3", "base")]
    assert rows[0][2:5] == ["90% (85% to 95%)", "90% (85% to 95%)", "-"]


def test_findings_say_why() -> None:
    """The verdict, the drift by turn, the probe, and what did not fit."""
    assert findings(REPORT) == [
        "verdict: partly (a prompt does as well; it forgot what the base can do)",
        "tuned, style strength by turn: 90%, 50% (cannot tell)",
        "probe of 36 items: base 80%, tuned 20% (forgot)",
        "style prompts cut to fit the context: calm",
    ]


def test_old_report_has_a_verdict_only() -> None:
    """Made before there was a ranking."""
    assert findings(OLD) == ["verdict: unclear"]


def test_every_reason_has_words() -> None:
    """The list is closed, and so are its explanations."""
    assert set(REASONS) == set(Reason)
