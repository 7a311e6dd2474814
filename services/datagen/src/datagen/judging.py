"""Judge a measured dataset by thresholds: pure, and fast enough for a slider."""

from collections import Counter
from collections.abc import Iterator

from contracts.judge import Rating
from contracts.quality import Finding, GateChange, Preview, Thresholds
from contracts.sample import RejectReason
from datagen.gates import Refusal
from datagen.measured import Figures, Measured, Row

# The order in which gates refuse: the first reason is the one that counts.
ORDER = (
    RejectReason.CONTROL_TOKEN,
    RejectReason.TOO_SHORT,
    RejectReason.TOO_LONG,
    RejectReason.BROKEN_TEXT,
    RejectReason.CRISIS,
    RejectReason.ASSISTANT_VOICE,
    RejectReason.WRONG_LANGUAGE,
    RejectReason.ECHO,
    RejectReason.PERSONAL_DATA,
    RejectReason.OTHER_STYLE,
    RejectReason.UNLIKE_REFERENCES,
    RejectReason.DUPLICATE,
    RejectReason.NEAR_DUPLICATE,
    RejectReason.CROSS_STYLE_DUPLICATE,
    RejectReason.JUDGE,
)
RANK = {reason: place for place, reason in enumerate(ORDER)}
EXAMPLES = 5
SHOWN_CHARACTERS = 400


def judge(figures: Figures, limits: Thresholds) -> list[Refusal]:
    """Return everything that the gates have against a row, in their order."""
    found = [*figures.facts, *by_threshold(figures, limits), *repeated(figures, limits)]
    return sorted(found, key=lambda refusal: RANK[refusal.reason])


def by_threshold(figures: Figures, limits: Thresholds) -> Iterator[Refusal]:
    """Yield what a row's own figures say against it; a figure that is NaN says nothing."""
    size = figures.characters
    if size < limits.shortest:
        yield Refusal(RejectReason.TOO_SHORT, f"{size} characters")
    if size > limits.longest:
        yield Refusal(RejectReason.TOO_LONG, f"{size} characters")
    if figures.language < limits.language:
        yield Refusal(RejectReason.WRONG_LANGUAGE, f"{figures.language:.0%}")
    if figures.echo >= limits.echo:
        yield Refusal(RejectReason.ECHO, f"{figures.echo:.0%} of the question")
    if figures.contrast < limits.contrast and limits.contrast > -1:
        yield Refusal(RejectReason.OTHER_STYLE, f"contrast {figures.contrast:+.3f}")
    if figures.likeness < limits.likeness:
        yield Refusal(RejectReason.UNLIKE_REFERENCES, f"likeness {figures.likeness:.3f}")
    mean = figures.rating.mean if figures.rating else None
    if figures.rating and mean is not None and mean < limits.judge:
        yield Refusal(RejectReason.JUDGE, told(figures.rating))


def told(rating: Rating) -> str:
    """Return a judge's scores in words, the lowest first, and what it says of them."""
    scores = sorted(rating.scores.items(), key=lambda one: one[1])
    listed = ", ".join(f"{name} {score}" for name, score in scores)
    return f"judge {rating.mean or 0:.1f}: {listed}" + (
        f" ({rating.reason})" if rating.reason else ""
    )


def repeated(figures: Figures, limits: Thresholds) -> Iterator[Refusal]:
    """Yield the refusals of a row that repeats an earlier one."""
    if (twin := figures.within) and twin.similarity >= limits.near_duplicate:
        reason = RejectReason.DUPLICATE if twin.same else RejectReason.NEAR_DUPLICATE
        yield Refusal(reason, f"similarity {twin.similarity:.2f}")
    if (twin := figures.across) and twin.similarity >= limits.near_duplicate:
        yield Refusal(RejectReason.CROSS_STYLE_DUPLICATE, f"similarity {twin.similarity:.2f}")


def preview(measured: Measured, limits: Thresholds) -> Preview:
    """Return how many rows other thresholds would change, by gate, with examples.

    A row that was refused for a reason that is not measured here (malformed, off its card's
    lexicon, by a reviewer) stays refused.
    """
    refused: Counter[RejectReason] = Counter()
    kept: Counter[RejectReason] = Counter()
    examples: dict[RejectReason, list[Finding]] = {}
    for row, figures in zip(measured.rows, measured.figures, strict=True):
        found = judge(figures, limits)
        change = changed(row, found)
        if change is None:
            continue
        (refused if row.reason is None else kept)[change.reason] += 1
        shown = examples.setdefault(change.reason, [])
        if len(shown) < EXAMPLES:
            shown.append(finding(row, change.detail))
    now = sum(row.reason is None for row in measured.rows)
    return Preview(
        thresholds=limits,
        rows=len(measured.rows),
        kept_now=now,
        kept_then=now - refused.total() + kept.total(),
        changed=refused.total() + kept.total(),
        gates=[
            GateChange(
                reason=reason,
                refused=refused[reason],
                kept=kept[reason],
                examples=examples.get(reason, []),
            )
            for reason in ORDER
        ],
    )


def changed(row: Row, found: list[Refusal]) -> Refusal | None:
    """Return the gate that would change its mind about `row`, or None."""
    if row.reason is None:
        return found[0] if found else None
    if row.reason in RANK and not found:
        return Refusal(row.reason, "would be kept")
    return None


def finding(row: Row, detail: str) -> Finding:
    """Return a row as it is shown beside a figure."""
    return Finding(
        row=row.id,
        style=row.style,
        question=row.question[:SHOWN_CHARACTERS],
        reply=row.reply[:SHOWN_CHARACTERS],
        detail=detail,
    )
