"""What other thresholds would change, before anything is changed (pure)."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pydantic import ValidationError

from contracts.quality import GateChange, Preview, Thresholds
from ui.dataset.card_figures import examples_html
from ui.texts import Texts

# Each slider: its least, its most, its step.
SLIDERS: dict[str, tuple[float, float, float]] = {
    "shortest": (1, 200, 1),
    "longest": (20, 4000, 10),
    "echo": (0.05, 1, 0.05),
    "language": (0, 1, 0.05),
    "near_duplicate": (0.6, 1, 0.01),
    "contrast": (-1, 1, 0.02),
    "likeness": (0, 1, 0.02),
    "judge": (0, 5, 0.1),
}
USUAL = Thresholds()


def limits_of(values: Sequence[Any]) -> Thresholds:
    """Return the thresholds that the sliders say; one that makes no sense stays as usual."""
    found: dict[str, Any] = {}
    for name, value in zip(SLIDERS, values, strict=True):
        whole = isinstance(getattr(USUAL, name), int)
        try:
            told = int(value) if whole else round(float(value), 4)
            Thresholds.model_validate({name: told})
        except (TypeError, ValueError, ValidationError):
            continue
        found[name] = told
    return Thresholds.model_validate(found)


def preview_html(texts: Texts, found: Preview | None, names: Mapping[str, str]) -> str:
    """Return what would change, by gate; nothing before somebody moved a slider."""
    if found is None:
        return f'<p class="ts-faint">{escape(texts("report_card.move"))}</p>'
    told = texts(
        "report_card.preview",
        now=f"{found.kept_now:,}",
        then=f"{found.kept_then:,}",
        changed=f"{found.changed:,}",
    )
    gates = [one for one in found.gates if one.refused or one.kept]
    items = "".join(change_html(texts, one, names) for one in gates)
    note = escape(texts("report_card.nothing_changed"))
    return (
        f'<div class="ts-report-preview" role="status"><p><b>{escape(told)}</b></p>{items}'
        f'<p class="ts-faint">{note}</p></div>'
    )


def change_html(texts: Texts, change: GateChange, names: Mapping[str, str]) -> str:
    """Return what changes at one gate."""
    name = texts(f"review.reason.{change.reason.value}")
    parts = []
    if change.refused:
        parts.append(texts("report_card.would_refuse", count=change.refused))
    if change.kept:
        parts.append(texts("report_card.would_keep", count=change.kept))
    return (
        f'<details class="ts-report-gate"><summary><b>{escape(name)}</b> '
        f"<span>{escape(' · '.join(parts))}</span></summary>"
        f"{examples_html(texts, change.examples, names)}</details>"
    )
