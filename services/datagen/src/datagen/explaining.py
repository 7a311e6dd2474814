"""Why a row is kept or refused: what every gate reads off it, beside the threshold."""

import math

from contracts.quality import Explanation, GateReading, Thresholds
from contracts.sample import RejectReason
from datagen.judging import ORDER, SHOWN_CHARACTERS, judge
from datagen.measured import Figures, Measured, Twin
from kit.errors import NotFoundError


def explain(measured: Measured, row_id: str, limits: Thresholds) -> Explanation:
    """Return what the gates say of a row. Raises NotFoundError where there is none of that id."""
    places = (at for at, row in enumerate(measured.rows) if row.id == row_id)
    at = next(places, None)
    if at is None:
        raise NotFoundError(
            f"the dataset has no row {row_id[:80]!r}",
            field="row",
            hint="findings of the report card and of the preview name rows by their ids",
        )
    row, figures = measured.rows[at], measured.figures[at]
    refused = {refusal.reason: refusal.detail for refusal in judge(figures, limits)}
    return Explanation(
        row=row.id,
        style=row.style,
        question=row.question[:SHOWN_CHARACTERS],
        reply=row.reply[:SHOWN_CHARACTERS],
        refused_for=row.reason,
        would_be_refused_for=next(iter(refused), None),
        masked=list(row.masked),
        safety=row.safety,
        gates=[reading(measured, figures, limits, reason, refused) for reason in ORDER],
    )


def reading(
    measured: Measured,
    figures: Figures,
    limits: Thresholds,
    reason: RejectReason,
    refused: dict[RejectReason, str],
) -> GateReading:
    """Return what the gate of `reason` reads off a row."""
    value, limit = values(figures, limits).get(reason, (None, None))
    twin = twin_of(figures, reason)
    return GateReading(
        reason=reason,
        refuses=reason in refused,
        value=None if value is None or math.isnan(value) else value,
        limit=limit,
        detail=refused.get(reason, ""),
        like=measured.rows[twin.row].id if twin else None,
    )


def values(
    figures: Figures, limits: Thresholds
) -> dict[RejectReason, tuple[float | None, float | None]]:
    """Return the figure of each gate that has one, and its threshold."""
    found: dict[RejectReason, tuple[float | None, float | None]] = {
        RejectReason.TOO_SHORT: (figures.characters, limits.shortest),
        RejectReason.TOO_LONG: (figures.characters, limits.longest),
        RejectReason.WRONG_LANGUAGE: (figures.language, limits.language),
        RejectReason.ECHO: (figures.echo, limits.echo),
        RejectReason.OTHER_STYLE: (figures.contrast, limits.contrast),
        RejectReason.UNLIKE_REFERENCES: (figures.likeness, limits.likeness),
        RejectReason.JUDGE: (figures.rating.mean if figures.rating else None, limits.judge),
    }
    for reason in (RejectReason.NEAR_DUPLICATE, RejectReason.CROSS_STYLE_DUPLICATE):
        twin = twin_of(figures, reason)
        found[reason] = (twin.similarity if twin else None, limits.near_duplicate)
    return found


def twin_of(figures: Figures, reason: RejectReason) -> Twin | None:
    """Return the earlier row that the gate of `reason` compares with, or None."""
    if reason is RejectReason.CROSS_STYLE_DUPLICATE:
        return figures.across
    if figures.within is None or reason not in (
        RejectReason.DUPLICATE,
        RejectReason.NEAR_DUPLICATE,
    ):
        return None
    return figures.within if figures.within.same == (reason is RejectReason.DUPLICATE) else None
