"""The advisor: how to train on a dataset, with a sentence for each choice. Pure.

A run fits its batches to the rows and the card by itself; so the advice sets only what a run does
not decide (recipe, epochs, a cutoff that keeps every row) and explains the rest.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contracts.advice import Advice, AdviceRequest, Reason
from contracts.dataset import DatasetManifest
from contracts.run import Overrides, RunRecord
from kit.errors import InvalidInputError
from trainer.bases import Base
from trainer.curve import rows_verdict
from trainer.doubts import length_warnings, row_warnings
from trainer.pacing import epoch_steps
from trainer.presets import CHATML, LARGE_BYTES, Preset, preset_of
from trainer.recipe import Arguments, Recipe, Shelf
from trainer.recipe_choice import because, chosen_recipe

# The demo's 1,710 rows learn their styles in 3 epochs of 107 updates (docs/log.md); more rows need
# fewer epochs for as many updates, fewer rows more.
UPDATES = 320
# Others read few rows often too (LIMA: 1,000 rows 15 times, arXiv 2305.11206, section 3); ten
# epochs are what the plateau stop is measured with.
EPOCHS = (1, 10)
CUTOFF_ROUND = 64


def advise(
    request: AdviceRequest,
    manifest: DatasetManifest,
    base: Base,
    fit: Mapping[str, Any],
    shelf: Shelf,
    runs: Sequence[RunRecord],
    *,
    rows_by_style: Mapping[str, int] | None = None,
) -> Advice:
    """Return what to ask `POST /runs` for, and why.

    Args:
        request: what is asked.
        manifest: of the dataset.
        base: the base model.
        fit: the engine's answer on the lengths and the batching, as a dictionary.
        shelf: the recipes.
        runs: records of earlier runs, for the learning curve.
        rows_by_style: training rows of each style (`doubts.style_counts`); unset: not known.

    Raises:
        InvalidInputError: the shelf has none of the recipes that are proposed.
    """
    preset, warnings = recognised(base)
    cutoff = rounded(int((fit.get("lengths") or {}).get("max") or 0))
    card = request.card_bytes or fit.get("card_bytes")
    recipe, reason, doubts = chosen_recipe(shelf, base, preset, card, cutoff)
    positions = int(base.config.get("max_position_embeddings") or 0)
    overrides, reasons = pace(recipe, preset, manifest, fit, positions)
    warnings += doubts + row_warnings(manifest, rows_by_style)
    warnings += length_warnings(fit, overrides.cutoff_len, positions)
    return Advice(
        recipe=recipe.name,
        overrides=overrides,
        reasons=[reason, *reasons],
        rows=rows_verdict([run for run in runs if run.request.base_model == base.name], manifest),
        warnings=warnings,
    )


def recognised(base: Base) -> tuple[Preset, list[str]]:
    """Return the base's preset, or plain ChatML with a warning where it has none."""
    try:
        return preset_of(base), []
    except InvalidInputError as error:
        plain = replace(CHATML, large=base.weights_bytes >= LARGE_BYTES)
        return plain, [f"{error.body.message}; {error.body.hint}."]


def rounded(length: int) -> int:
    """Return the length up to which rows are kept, which kernels like to be a round number."""
    return math.ceil(length / CUTOFF_ROUND) * CUTOFF_ROUND


def pace(
    recipe: Recipe,
    preset: Preset,
    manifest: DatasetManifest,
    fit: Mapping[str, Any],
    positions: int,
) -> tuple[Overrides, list[Reason]]:
    """Return the overrides, and a reason for each number of the run."""
    arguments = recipe.arguments_for(large=preset.large)
    rows = int((fit.get("lengths") or {}).get("rows") or manifest.rows.get("train", 0))
    batch = arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps
    per_update = float(fit.get("rows_per_update") or batch)
    epochs = epochs_for(rows, per_update)
    cutoff = uncut(fit, arguments.cutoff_len, positions)
    overrides = Overrides(num_train_epochs=epochs, cutoff_len=cutoff)
    steps = epochs * epoch_steps(per_update, rows)
    reasons = [
        because("num_train_epochs", str(epochs), epochs_why(rows, epochs, steps)),
        cutoff_reason(fit, overrides),
        batching_reason(fit),
        because("batch", batch_value(fit, arguments), f"About {per_update:.0f} rows an update."),
        because(
            "learning_rate", f"{arguments.learning_rate:.10g}", rate_why(recipe, large=preset.large)
        ),
        because("template", preset.template, preset.why),
    ]
    return overrides, [reason for reason in reasons if reason.value]


def epochs_for(rows: int, rows_per_update: float) -> int:
    """Return the epochs that give about `UPDATES` updates, at least one and at most ten."""
    least, most = EPOCHS
    return min(most, max(least, round(UPDATES / epoch_steps(rows_per_update, rows))))


def epochs_why(rows: int, epochs: int, steps: int) -> str:
    """Return the sentence on the epochs."""
    guard = "the run ends before that where its loss goes flat or rises"
    if epochs == EPOCHS[1]:
        return f"{rows} rows are few, so they are read often, in {steps} steps; {guard}."
    if epochs == EPOCHS[0]:
        return f"{rows} rows say enough when they are read once, in {steps} steps; {guard}."
    return f"About {UPDATES} updates teach a style, {steps} with {rows} rows; {guard}."


def uncut(fit: Mapping[str, Any], of_recipe: int, positions: int) -> int | None:
    """Return the cutoff that keeps every row whole, or None where the run's own does.

    None too where the base reads no row of that length (`positions`; 0: not known).
    """
    longest = int((fit.get("lengths") or {}).get("max") or 0)
    packed = fit.get("batching") == "packed"  # LLaMA-Factory keeps a token of a pack as padding
    if longest <= int(fit.get("cutoff_len") or of_recipe) - packed:
        return None
    cutoff = rounded(longest + packed)
    return None if positions and cutoff > positions else cutoff


def cutoff_reason(fit: Mapping[str, Any], overrides: Overrides) -> Reason:
    """Return the cutoff and why, or a reason without a value where nothing is known."""
    longest = int((fit.get("lengths") or {}).get("max") or 0)
    cutoff = overrides.cutoff_len or fit.get("cutoff_len")
    if not cutoff or not longest:
        return because("cutoff_len", "", "")
    packed = fit.get("batching") == "packed" and overrides.cutoff_len is None
    kept = "none is cut" if longest <= int(cutoff) - packed else "longer ones than this are cut"
    pack = ", and a pack of this size holds many rows" if packed else ""
    why = f"The longest row has {longest} tokens: {kept}{pack}."
    return because("cutoff_len", str(cutoff), why)


def batching_reason(fit: Mapping[str, Any]) -> Reason:
    """Return how rows share a batch and why."""
    batching = str(fit.get("batching") or "")
    lengths = fit.get("lengths") or {}
    useful = (
        f" {fit['useful_ratio']:.0%} of the tokens are no padding." if useful_known(fit) else ""
    )
    half = f"Half of the rows have {lengths.get('p50', 0)} tokens or fewer, the longest "
    half += f"{lengths.get('max', 0)}: "
    why = {
        "packed": "whole rows share a pack, and none sees another.",
        "grouped": "rows of like length share a batch.",
        "plain": "rows are taken as they come.",
    }.get(batching, "")
    return because("batching", batching, half + why + useful)


def useful_known(fit: Mapping[str, Any]) -> bool:
    """Return whether the fit says how much of a batch is no padding."""
    return isinstance(fit.get("useful_ratio"), int | float)


def batch_value(fit: Mapping[str, Any], arguments: Arguments) -> str:
    """Return micro-batch times accumulation."""
    micro = fit.get("micro_batch") or arguments.per_device_train_batch_size
    steps = fit.get("accumulation") or arguments.gradient_accumulation_steps
    return f"{micro} x {steps}"


def rate_why(recipe: Recipe, *, large: bool) -> str:
    """Return where the learning rate comes from."""
    if large:
        return f"What recipe {recipe.name!r} takes for a base of 100 million weights or more."
    return f"What recipe {recipe.name!r} was measured with on a small base such as the starter."
