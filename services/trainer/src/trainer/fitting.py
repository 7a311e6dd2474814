"""Fit a run to its rows and its card: ask the engine, and lay its answer over the arguments.

The engine (`python -m trainer.engine.fit`) counts the tokens of each row as LLaMA-Factory will
encode them, chooses how rows share a batch, and on a card predicts and probes the memory. What a
request fixes by its overrides stays as it is.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import Field, ValidationError

from contracts.model import Recorded
from contracts.run import Batching, Fit, Overrides
from kit.errors import TonesmithError
from trainer.engine.batching import arguments_of

MODULE = "trainer.engine.fit"
# Counting 100,000 rows takes a minute; loading 8 billion weights and five probes another few.
SECONDS = 1800.0
CACHE = "lengths"
FIXED = (
    "batching",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "cutoff_len",
)


class Asked(Protocol):
    """What answers a fit request: `trainer.child.Engine`, or a fake."""

    async def ask(self, module: str, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Run a module of the engine on a request and return its report."""
        ...


class Terms(Protocol):
    """What the operator says of a fit: `trainer.config.Settings`, or a test's."""

    @property
    def vram_low(self) -> float:
        """Least share of the card that a run's peak should take (TRAINER_VRAM_LOW)."""
        ...

    @property
    def vram_high(self) -> float:
        """Largest share of the card that a run's peak may take (TRAINER_VRAM_HIGH)."""
        ...

    @property
    def nproc(self) -> int:
        """Processes that train together (TRAINER_NPROC)."""
        ...

    @property
    def state_dir(self) -> Path:
        """Folder under which the lengths of datasets are kept (TRAINER_STATE_DIR)."""
        ...


class FitFailedError(TonesmithError):
    """The engine could not fit the run: its message says why."""

    status = 422
    code = "fit_failed"


class Lengths(Recorded):
    """How long the training rows are, in tokens, before any is cut."""

    rows: int = 0
    mean: float = 0.0
    p50: int = 0
    p90: int = 0
    p99: int = 0
    max: int = 0
    histogram: list[tuple[int, int]] = Field(default=[], description="(length, rows of it)")
    answer_tokens: int = Field(default=0, description="tokens of all rows that are learned")


class Fitted(Recorded):
    """The engine's answer. Memory is in bytes and of one card; None where there is no card."""

    lengths: Lengths = Lengths()
    batching: Batching = "plain"
    cutoff_len: int = 0
    micro_batch: int = 0
    accumulation: int = 0
    eval_batch: int = Field(default=0, description="rows (packs) of an evaluation's batch; 0: ours")
    checkpointing: bool = Field(default=False, description="activations are computed twice")
    rows_per_update: float = 0.0
    useful_ratio: float | None = None
    dropped_rows: int = Field(default=0, description="rows that LLaMA-Factory refuses")
    cut_rows: int = Field(default=0, description="rows that are longer than `cutoff_len`")
    card_bytes: int | None = None
    predicted_bytes: int | None = None
    predicted: dict[str, int] = Field(default={}, description="the prediction by its terms")
    probed_bytes: int | None = None
    probes: list[dict[str, Any]] = []
    reasons: list[str] = []


async def ask_fit(
    engine: Asked,
    arguments: Mapping[str, Any],
    overrides: Overrides,
    *,
    settings: Terms,
    card_bytes: int | None = None,
    probe: bool = True,
    dataset_info: Mapping[str, Any] | None = None,
) -> Fitted:
    """Return how the engine would batch a run.

    Args:
        engine: runs the question in the engine's environment.
        arguments: LLaMA-Factory's arguments of the run, as `arguments.engine_arguments` made them.
        overrides: what the request fixes.
        settings: the band of the card, the processes, and where lengths are kept.
        card_bytes: memory of a card to plan for, without one here; None: of the card that is here.
        probe: run real steps on the card; false for an advice, which must not disturb the card.
        dataset_info: what `dataset_dir/dataset_info.json` will hold, where it is not written yet.

    Raises:
        FitFailedError: with the engine's last words.
        EngineMissingError: there is no engine.
    """
    request = fit_request(
        arguments,
        overrides,
        band=[settings.vram_low, settings.vram_high],
        world_size=settings.nproc,
        card_bytes=card_bytes,
        probe=probe,
        cache=str((settings.state_dir / CACHE).resolve()),
        dataset_info=dict(dataset_info) if dataset_info else None,
    )
    return await answered(engine, request)


async def answered(engine: Asked, request: dict[str, Any]) -> Fitted:
    """Return the engine's answer to a request. Raises FitFailedError, EngineMissingError."""
    try:
        return Fitted.model_validate(await engine.ask(MODULE, request, SECONDS))
    except TimeoutError as error:
        hint = "try again, or train on fewer rows (`data_fraction`)"
        raise FitFailedError(f"no fit within {SECONDS:.0f} seconds", hint=hint) from error
    except (json.JSONDecodeError, ValidationError) as error:
        raise FitFailedError(f"the engine's fit cannot be read: {error}") from error
    except ValueError as error:
        hint = "look at the rows of the dataset and at the base model"
        raise FitFailedError(f"the run cannot be fitted: {error}", hint=hint) from error


def fit_request(arguments: Mapping[str, Any], overrides: Overrides, **terms: Any) -> dict[str, Any]:
    """Return the question as `engine/fit.py` reads it; `terms` are its other fields."""
    given = overrides.model_dump(exclude_none=True)
    fixed = {name: given[name] for name in FIXED if name in given}
    return {
        "arguments": dict(arguments),
        "fixed": fixed,
        "recipe_cutoff": "cutoff_len" not in fixed,
        **terms,
    }


def fitted_arguments(arguments: Mapping[str, Any], fitted: Fitted) -> dict[str, Any]:
    """Return the arguments with the fit laid over them; nothing but batches changes."""
    laid = arguments_of(fitted.model_dump(), str(arguments.get("stage", "sft")))
    return {**arguments, **laid}


def smaller(arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return arguments that need less memory for the same update, after the card overflowed.

    Half the micro-batch and twice the accumulation; an odd one falls to its largest divisor, so
    that the rows of an update stay. At one row the activations are computed twice instead; None
    where nothing is left to give.
    """
    batch = int(arguments["per_device_train_batch_size"])
    steps = int(arguments.get("gradient_accumulation_steps") or 1)
    if batch > 1:
        less = next(part for part in range(batch // 2, 0, -1) if batch % part == 0)
        evaluated = int(arguments.get("per_device_eval_batch_size") or less)
        return {
            **arguments,
            "per_device_train_batch_size": less,
            "gradient_accumulation_steps": steps * (batch // less),
            "per_device_eval_batch_size": min(evaluated, less),
        }
    if arguments.get("disable_gradient_checkpointing"):
        return {**arguments, "disable_gradient_checkpointing": False}
    return None


def record(fitted: Fitted, measured_bytes: int | None = None) -> Fit:
    """Return the fit as the run's record keeps it; `measured_bytes` is the run's own peak."""
    known = fitted.model_dump(include=set(Fit.model_fields))
    return Fit.model_validate({**known, "measured_bytes": measured_bytes})
