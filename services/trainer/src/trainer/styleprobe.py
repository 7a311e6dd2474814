"""Held-out rows that tell how well a checkpoint speaks each style: few, even over the styles. Pure.

Only where the run asks for its checkpoint to be chosen by style; scoring replies costs time at
every evaluation.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contracts.dataset import Conditioning
from contracts.style import Style, StyleVersion

ROWS = 32


def style_probe(
    rows: Iterable[Mapping[str, Any]], styles: Sequence[StyleVersion], how: Conditioning
) -> dict[str, Any] | None:
    """Return the plan's `style_probe` from held-out alpaca rows; None where no row names its style.

    Args:
        rows: of the dataset's `eval.json`.
        styles: of the dataset.
        how: what in a row names its style.
    """
    by_style: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if style := style_of(row, [version.style for version in styles]):
            found = {"messages": messages(row), "reply": row["output"], "style": style}
            by_style[style].append(found)
    taken = in_turn(by_style, ROWS)
    if not taken:
        return None
    asked = how in (Conditioning.SYSTEM, Conditioning.BOTH)
    return {
        "rows": taken,
        "prompts": {
            version.style.id: version.style.system_prompt if asked else "" for version in styles
        },
    }


def style_of(row: Mapping[str, Any], styles: Iterable[Style]) -> str:
    """Return the style that a row's system prompt, or the first line of its reply, names."""
    for style in styles:
        if row.get("system") and row["system"] == style.system_prompt:
            return style.id
        if str(row.get("output", "")).startswith(f"{getattr(style.names, style.language)}\n"):
            return style.id
    return ""


def messages(row: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return an alpaca row as a chat that ends with the user's turn."""
    system = [{"role": "system", "content": row["system"]}] if row.get("system") else []
    before = [
        {"role": role, "content": said}
        for turn in row.get("history") or []
        for role, said in zip(("user", "assistant"), turn, strict=True)
    ]
    asked = "\n".join(part for part in (row["instruction"], row.get("input")) if part)
    return [*system, *before, {"role": "user", "content": asked}]


def in_turn(by_style: Mapping[str, list[dict[str, Any]]], limit: int) -> list[dict[str, Any]]:
    """Return at most `limit` rows, one of each style in turn."""
    taken: list[dict[str, Any]] = []
    for at in range(max((len(rows) for rows in by_style.values()), default=0)):
        taken += [rows[at] for _, rows in sorted(by_style.items()) if at < len(rows)]
    return taken[:limit]
