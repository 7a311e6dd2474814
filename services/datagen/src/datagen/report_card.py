"""The report card of a dataset: what its rows are, and what the gates have against them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import numpy as np

from contracts.quality import (
    Cluster,
    GateFigures,
    Lengths,
    ReportCard,
    StyleFigures,
    Thresholds,
)
from contracts.sample import RejectReason
from contracts.style import Language
from datagen.coverage import coverage
from datagen.gates import Refusal
from datagen.judging import EXAMPLES, ORDER, finding, judge
from datagen.languages import language_of
from datagen.measured import Figures, Measured, Row
from datagen.questions import Bank

CLUSTERS_SHOWN = 12
CLUSTER_EXAMPLES = 3
Judged = list[tuple[Row, Figures, list[Refusal]]]


def report_card(
    measured: Measured,
    *,
    dataset_id: str,
    created_at: datetime,
    limits: Thresholds,
    banks: Mapping[Language, Bank],
) -> ReportCard:
    """Return the report card on the accepted rows of `measured`.

    Args:
        measured: the rows with their figures.
        dataset_id: names the dataset.
        created_at: of the report card.
        limits: from where on a gate refuses a row.
        banks: tell which situations there are, so that what is missing shows.
    """
    judged = judged_rows(measured, limits)
    styles = style_figures(judged)
    clusters = near_clusters(measured, limits.near_duplicate)
    sizes = [style.rows for style in styles]
    return ReportCard(
        dataset_id=dataset_id,
        created_at=created_at,
        rows=len(judged),
        clean=sum(not found for _, _, found in judged),
        thresholds=limits,
        vectors=measured.vectors,
        balance=min(sizes) / max(sizes) if sizes else 0.0,
        styles=styles,
        gates=gate_figures(judged),
        clusters=[cluster(measured, rows) for rows in clusters[:CLUSTERS_SHOWN]],
        clustered_rows=sum(map(len, clusters)),
        coverage=coverage([row for row, _, _ in judged], banks, measured.languages),
        languages=languages([row for row, _, _ in judged]),
        **safety_figures(judged),
    )


def safety_figures(judged: Judged) -> dict[str, Any]:
    """Return what the report card says of personal data and of crises."""
    return {
        "personal_data": kinds(judged, RejectReason.PERSONAL_DATA),
        "crisis": kinds(judged, RejectReason.CRISIS),
        "masked": sum(bool(row.masked) for row, _, _ in judged),
        "safe_replies": sum(bool(row.safety) for row, _, _ in judged),
    }


def judged_rows(measured: Measured, limits: Thresholds) -> Judged:
    """Return the accepted rows with their figures and what the gates have against them."""
    return [
        (row, figures, judge(figures, limits))
        for row, figures in zip(measured.rows, measured.figures, strict=True)
        if row.reason is None
    ]


def gate_figures(judged: Judged) -> list[GateFigures]:
    """Return the figures of every gate, in their order."""
    return [one_gate(reason, judged) for reason in ORDER]


def one_gate(reason: RejectReason, judged: Judged) -> GateFigures:
    """Return the figures of one gate."""
    flagged = [
        finding(row, refusal.detail)
        for row, _, found in judged
        for refusal in found
        if refusal.reason is reason
    ]
    return GateFigures(
        reason=reason,
        flagged=len(flagged),
        first=sum(bool(found) and found[0].reason is reason for _, _, found in judged),
        ratio=len(flagged) / len(judged) if judged else 0.0,
        examples=flagged[:EXAMPLES],
    )


def style_figures(judged: Judged) -> list[StyleFigures]:
    """Return the figures of each style, in alphabetical order."""
    by_style: dict[str, Judged] = defaultdict(list)
    for entry in judged:
        by_style[entry[0].style].append(entry)
    return [one_style(name, rows, len(judged)) for name, rows in sorted(by_style.items())]


def one_style(name: str, judged: Judged, total: int) -> StyleFigures:
    """Return the figures of one style."""
    return StyleFigures(
        id=name,
        rows=len(judged),
        ratio=len(judged) / total,
        clean=sum(not found for _, _, found in judged),
        lengths=lengths([figures.characters for _, figures, _ in judged]),
        languages=languages([row for row, _, _ in judged]),
        contrast=median([figures.contrast for _, figures, _ in judged]),
        likeness=median([figures.likeness for _, figures, _ in judged]),
    )


def lengths(sizes: Sequence[int]) -> Lengths:
    """Return the spread of `sizes`, of which there is at least one."""
    p5, middle, p95 = np.percentile(sizes, (5, 50, 95)).tolist()
    return Lengths(shortest=min(sizes), p5=p5, median=middle, p95=p95, longest=max(sizes))


def median(values: Sequence[float]) -> float | None:
    """Return the median of the values that are known, None without any."""
    known = np.array(values, np.float64)
    known = known[~np.isnan(known)]
    return float(np.median(known)) if known.size else None


def languages(rows: Iterable[Row]) -> dict[str, int]:
    """Return the number of rows by the language of their reply, the commonest first."""
    return dict(Counter(language_of(row.reply) for row in rows).most_common())


def kinds(judged: Judged, reason: RejectReason) -> dict[str, int]:
    """Return the number of rows by what the gate of `reason` found in them."""
    found = Counter(
        kind
        for _, _, refusals in judged
        for refusal in refusals
        if refusal.reason is reason
        for kind in refusal.detail.split(":")[0].split(", ")
    )
    return dict(found.most_common())


def near_clusters(measured: Measured, near: float) -> list[list[int]]:
    """Return the accepted rows that hang together by pairs of at least `near`, largest first."""
    parents: dict[int, int] = {}
    for at, figures in enumerate(measured.figures):
        for twin in (figures.within, figures.across):
            if twin and twin.similarity >= near and measured.rows[at].reason is None:
                parents[root(parents, at)] = root(parents, twin.row)
    members = sorted((root(parents, at), at) for at in {*parents, *parents.values()})
    found = [[at for _, at in group] for _, group in groupby(members, key=lambda pair: pair[0])]
    return sorted(found, key=len, reverse=True)


def root(parents: dict[int, int], at: int) -> int:
    """Return the representative of the rows that `at` hangs together with."""
    while (above := parents.get(at, at)) != at:
        parents[at] = parents.get(above, above)  # halves the way for those who ask next
        at = parents[at]
    return at


def cluster(measured: Measured, numbers: Sequence[int]) -> Cluster:
    """Return a cluster as it is shown."""
    rows = [measured.rows[at] for at in numbers]
    return Cluster(
        rows=len(rows),
        styles=sorted({row.style for row in rows}),
        examples=[finding(row, "") for row in rows[:CLUSTER_EXAMPLES]],
    )
