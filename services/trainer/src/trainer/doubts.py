"""What stands against training on a dataset: few rows, unequal styles, rows that are cut. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from contracts.dataset import DatasetManifest
from contracts.style import StyleVersion
from trainer.styleprobe import style_of

FEW_PER_STYLE = 50
IMBALANCE = 3.0
# With fewer the mean loss moves with single rows, and a plateau cannot be told from chance.
FEW_HELD_OUT = 30


def style_counts(
    rows: Iterable[Mapping[str, Any]], styles: Sequence[StyleVersion]
) -> dict[str, int]:
    """Return how many training rows each style of a dataset has; rows of no known style count not.

    Args:
        rows: of the dataset's `train.json`.
        styles: of the dataset.
    """
    known = [version.style for version in styles]
    found = Counter(style_of(row, known) for row in rows)
    return {style.id: found[style.id] for style in known}


def row_warnings(manifest: DatasetManifest, by_style: Mapping[str, int] | None) -> list[str]:
    """Return what is wrong with the rows of a dataset, sentence by sentence."""
    found = []
    train, held_out = manifest.rows.get("train", 0), manifest.rows.get("eval", 0)
    if manifest.status == "incomplete":
        found.append("the dataset is incomplete: its generation ended before every style had rows")
    counts = by_style or {}
    few = [f"{name} {rows}" for name, rows in sorted(counts.items()) if rows < FEW_PER_STYLE]
    if not counts and train < FEW_PER_STYLE * len(manifest.styles):
        few = [f"{train} for {len(manifest.styles)} styles"]
    if few:
        found.append(f"fewer than {FEW_PER_STYLE} rows a style teach it badly: {', '.join(few)}")
    if counts and max(counts.values()) > IMBALANCE * max(1, min(counts.values())):
        most, least = max(counts, key=counts.__getitem__), min(counts, key=counts.__getitem__)
        found.append(
            f"the styles are unequal, {most} has {counts[most]} rows and {least} {counts[least]}: "
            "the smaller ones will be spoken worse"
        )
    if not held_out:
        found.append(
            "no rows are held out: neither the best checkpoint nor overfitting can be told"
        )
    elif held_out < FEW_HELD_OUT:
        found.append(f"{held_out} held-out rows are too few to tell a flat loss from chance")
    return found


def length_warnings(fit: Mapping[str, Any], cutoff: int | None, positions: int) -> list[str]:
    """Return what is lost of the rows.

    Args:
        fit: the engine's answer on the lengths.
        cutoff: that is advised because a run by itself would cut rows, or None.
        positions: tokens that the base reads at most; 0: not known.
    """
    found = []
    longest = int((fit.get("lengths") or {}).get("max") or 0)
    if cutoff:
        found.append(
            f"the longest row has {longest} tokens, a run by itself cuts rows at "
            f"{fit.get('cutoff_len')}; cutoff_len {cutoff} keeps them whole and takes more memory"
        )
    if positions and longest > positions:
        found.append(f"the longest row has {longest} tokens, the base reads {positions}: it is cut")
    if dropped := fit.get("dropped_rows"):
        found.append(f"{dropped} rows have no reply that could be learned; they are left out")
    return found
