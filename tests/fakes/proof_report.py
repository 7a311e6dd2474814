"""A report as an evaluation with every contestant writes it, with figures drawn by lot."""

import random
from collections.abc import Sequence

from contracts.evaluation import (
    ClassifierScore,
    ContestantScore,
    Difference,
    EvaluationReport,
    EvaluationRequest,
    ModelFigures,
    Reply,
    StyleScore,
)
from contracts.identity import now
from contracts.interval import Interval
from contracts.judge import Agreement, AgreementFigure, AgreementReport
from contracts.proof import (
    ContestantFigures,
    Drift,
    Figure,
    ForgettingProbe,
    JudgedPair,
    JudgedPairs,
    PairDifference,
    ProbeScore,
    PromptChoice,
    Rank,
    Reason,
    Verdict,
)
from contracts.style import Style

STRENGTHS = {"base": 0.08, "prompted": 0.55, "tuned": 0.9}
PLAIN_WORDS = {
    "zh": "先深呼吸，再列一张清单，一件一件做。",
    "en": "Breathe first. Then make a list.",
}


def figure(value: float, spread: float = 0.05, count: int = 40) -> Figure:
    """Return a figure with an interval of that half width, within 0 and 1 where the value is."""
    high = value + spread if value > 1 else min(1.0, value + spread)
    return Figure(
        value=value, interval=Interval(low=max(0.0, value - spread), high=high), count=count
    )


def difference(value: float) -> Figure:
    """Return a difference with its interval."""
    return Figure(value=value, interval=Interval(low=value - 0.06, high=value + 0.06), count=160)


def replies_of(styles: Sequence[Style], contestants: Sequence[str], each: int = 3) -> list[Reply]:
    """Return replies: the tuned one's are the card's examples, one of them taken for plain."""
    found = []
    for style in styles:
        for number in range(each):
            example = style.examples[number % len(style.examples)]
            for name in contestants:
                plain = name == "base" or (name == "tuned" and number == each - 1)
                found.append(
                    Reply(
                        contestant=name,
                        model=f"served-{name}",
                        style=style.id,
                        number=number,
                        situation=None,
                        question=example.user,
                        reply=PLAIN_WORDS[style.language] if plain else example.assistant,
                        predicted_style="(plain)" if plain else style.id,
                        on_topic=number != 1 or name != "prompted",
                        defects=["repetition"] if plain and name == "tuned" else [],
                    )
                )
    return found


def contestant_figures(
    styles: Sequence[Style], strengths: dict[str, float]
) -> list[ContestantFigures]:
    """Return the figures of each contestant over all styles, and of each style."""
    chance = random.Random(3)
    found = []
    for style in ["", *(style.id for style in styles)]:
        for name, strength in strengths.items():
            value = min(0.99, max(0.01, strength + (chance.uniform(-0.12, 0.12) if style else 0)))
            found.append(
                ContestantFigures(
                    contestant=name,
                    style=style,
                    strength=figure(value, 0.03 if not style else 0.09, 160 if not style else 20),
                    accuracy=figure(value),
                    on_topic=figure(0.85),
                    defect_free=figure(0.97, 0.02),
                    surprisal=figure(7.4, 0.3),
                    distinct_1=figure(0.21, 0.02),
                    distinct_2=figure(0.62, 0.03),
                    characters=figure(48, 4),
                )
            )
    return found


def agreement() -> AgreementReport:
    """Return the agreement of a judge with people."""
    known = AgreementFigure(value=0.62, low=0.48, high=0.74)
    return AgreementReport(
        id="agreement-1", created_at=now(), judge="judge-1", teacher="teacher-1", rows=120,
        unjudged=2, flips=9,
        criteria=[
            Agreement(
                criterion=name, rows=118, kappa=known, spearman=known, equal=known, near=known
            )
            for name in ("style_strength", "empathy", "relevance", "naturalness", "safety")
        ] + [Agreement(criterion="preference", rows=60, kappa=known, equal=known)],
    )  # fmt: skip


def judged_pairs() -> JudgedPairs:
    """Return what a judge found."""
    return JudgedPairs(
        model="judge-1",
        pairs=[
            JudgedPair(
                first="tuned", second=other, questions=158, wins=wins, losses=30,
                ties=128 - wins, flips=19, win_rate=figure(0.71, 0.06),
                length_controlled=figure(0.69, 0.07),
            )
            for other, wins in (("prompted", 80), ("base", 110))
        ],
        failed=2,
        same_as_teacher=True,
        agreement=agreement(),
    )  # fmt: skip


def probe() -> ForgettingProbe:
    """Return a forgetting probe in which little was lost."""
    scores = [
        ProbeScore(
            contestant=name,
            right=figure(value, 0.1),
            by_kind={
                "instruction": figure(value - 0.1, 0.14),
                "general": figure(value + 0.1, 0.13),
            },
        )
        for name, value in (("base", 0.62), ("tuned", 0.58))
    ]
    return ForgettingProbe(items=48, scores=scores, difference=difference(-0.04), verdict="kept")


def drifts(strengths: dict[str, float]) -> list[Drift]:
    """Return the strength over three turns: the prompted one fades."""
    found = []
    for name, strength in strengths.items():
        slope = -0.14 if name == "prompted" else -0.01
        turns = [figure(max(0.02, strength + slope * turn), 0.07) for turn in range(3)]
        verdict = "fades" if name == "prompted" else "steady"
        found.append(Drift(contestant=name, turns=turns, slope=difference(slope), verdict=verdict))
    return found


def pairs_of(strengths: dict[str, float]) -> list[PairDifference]:
    """Return every two contestants, the stronger first."""
    names = sorted(strengths, key=lambda name: -strengths[name])
    found = []
    for at, first in enumerate(names):
        for second in names[at + 1 :]:
            gap = strengths[first] - strengths[second]
            found.append(
                PairDifference(
                    first=first, second=second, questions=160, strength=difference(gap),
                    accuracy=difference(gap), p=0.0002 if gap > 0.06 else 0.4,
                    p_holm=0.0006 if gap > 0.06 else 0.8,
                    better="first" if gap > 0.06 else "none",
                )
            )  # fmt: skip
    return found


def contestant(name: str, strength: float, replies: int) -> ContestantScore:
    """Return the headline figures of a contestant."""
    return ContestantScore(
        accuracy=strength, on_topic=0.85, distinct_2=0.6, mean_characters=48,
        defects={"repetition": 2} if name == "tuned" else {}, model=f"served-{name}",
        replies=replies, accuracy_interval=figure(strength).interval, strength=strength,
        forced_accuracy=strength,
    )  # fmt: skip


def proof_report(
    styles: Sequence[Style],
    *,
    verdict: Verdict = "took",
    reasons: Sequence[Reason] = (),
    strengths: dict[str, float] | None = None,
) -> EvaluationReport:
    """Return a report with all that a page can show."""
    strengths = strengths or STRENGTHS
    names = sorted(strengths, key=lambda name: -strengths[name])
    count = 20 * len(styles)
    table = {
        style.id: {style.id: 17, "(plain)": 2, styles[at - 1].id: 1}
        for at, style in enumerate(styles)
    }
    gain = strengths["tuned"] - strengths["base"]
    return EvaluationReport(
        id="eval-demo-20261123-0a1b2c",
        created_at=now(),
        request=EvaluationRequest(dataset_id="demo-20261123-0a1b2c"),
        styles=[
            StyleScore(
                id=style.id, replies=20, base_accuracy=0.1, tuned_accuracy=0.9, on_topic=0.85
            )
            for style in styles
        ],
        contestants={name: contestant(name, value, count) for name, value in strengths.items()},
        confusion=table,
        classifier_accuracy=0.97,
        verdict=verdict,
        difference=Difference(value=gain, interval=difference(gain).interval),
        conditioning="system",
        random_accuracy=1 / max(1, len(styles)),
        classifier=ClassifierScore(
            trained_rows=1900, plain_rows=90, heldout_rows=100, accuracy=0.97,
            interval=Interval(low=0.92, high=0.99),
        ),
        trained=ModelFigures(model_id="demo-1", metrics={"eval_loss": 1.234, "rouge_l": 41.0}),
        reasons=list(reasons),
        figures=contestant_figures(styles, strengths),
        pairs=pairs_of(strengths),
        ranking=[
            Rank(place=at + 1, contestant=name, strength=figure(strengths[name], 0.03))
            for at, name in enumerate(names)
        ],
        prompts=[
            PromptChoice(style=style.id, form=("shots", "card")[at % 2], strengths={"card": 0.5},
                         questions=8, examples=3)
            for at, style in enumerate(styles)
        ],
        drift=drifts(strengths),
        probe=probe(),
        judged=judged_pairs(),
        natural_surprisal={"zh": 7.1, "en": 3.2},
    )  # fmt: skip
