"""What LLaMA-Factory is told, made from a recipe, a request and a dataset. Pure.

A request may change the values in `contracts.run.Overrides`; where things lie and what makes a run
safe is set here.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from contracts.dataset import DatasetManifest
from contracts.run import Overrides, RunRequest
from kit.errors import InvalidInputError
from trainer.presets import Preset
from trainer.recipe import Arguments, Recipe

Scalar = bool | int | float | str | None
PLACES = frozenset({"output_dir", "dataset_dir"})
COLUMNS = frozenset({"prompt", "query", "response", "system", "history"})
# A path with white space is torn apart by the multi-GPU launcher; `${...}` is interpolated by it.
UNSAFE_TEXT = re.compile(r"\s|\$\{")


class Places(BaseModel):
    """The absolute paths of a run."""

    model_config = ConfigDict(frozen=True)

    base: Path
    dataset: Path
    run: Path


def engine_arguments(
    recipe: Recipe,
    request: RunRequest,
    dataset: DatasetManifest,
    places: Places,
    preset: Preset,
    *,
    continues: Path | None = None,
) -> dict[str, Scalar]:
    """Return LLaMA-Factory's arguments of a run.

    Args:
        recipe: where the values come from.
        request: what it changes.
        dataset: what is trained on.
        places: where things lie.
        preset: how chats of the base are written down.
        continues: folder of the adapter that goes on being trained.

    Raises:
        InvalidInputError: a path cannot be handed on safely.
    """
    chosen = changed(recipe.arguments_for(large=preset.large), request.overrides)
    evaluates = dataset.rows.get("eval", 0) > 0
    return {
        **chosen.model_dump(exclude={"logging_steps", "eval_steps"} | foreign_fields(chosen)),
        **data_arguments(places, preset, evaluates=evaluates),
        **safe_arguments(places),
        # A window of logged loss that a resume cuts in two would be reported as another loss.
        "logging_steps": math.gcd(chosen.logging_steps, chosen.save_steps),
        "eval_strategy": "steps" if evaluates else "no",
        "eval_steps": chosen.eval_steps if evaluates else None,
        **({"adapter_name_or_path": plain(continues, "DATA_DIR")} if continues else {}),
    }


def changed(arguments: Arguments, overrides: Overrides) -> Arguments:
    """Return the arguments with a request's changes.

    A rank without an alpha keeps the recipe's ratio of the two: the adapter's share stays the same.
    """
    changes = overrides.model_dump(exclude_none=True, exclude={"batching"})
    if "num_train_epochs" in changes and "max_steps" not in changes:
        changes["max_steps"] = -1  # the Trainer would take the recipe's steps and not the epochs
    if "lora_rank" in changes and "lora_alpha" not in changes:
        scaled = arguments.lora_alpha * changes["lora_rank"] / arguments.lora_rank
        changes["lora_alpha"] = max(1, round(scaled))
    return Arguments.model_validate(arguments.model_dump() | changes)


def foreign_fields(arguments: Arguments) -> set[str]:
    """Return the fields that another stage or method than this one reads."""
    unread = {
        "pref_": arguments.stage not in ("dpo", "kto"),
        "pref_loss": arguments.stage != "dpo",
        "kto_": arguments.stage != "kto",
        "lora_": arguments.finetuning_type != "lora",
    }
    return {
        field
        for field in Arguments.model_fields
        if any(unread[start] and field.startswith(start) for start in unread)
    }


def sharding_arguments(recipe: Recipe, folder: Path) -> dict[str, Scalar]:
    """Return the arguments that split the weights of a run over its processes.

    Args:
        recipe: whose header says how.
        folder: with the configurations that ship, `fsdp.json` and `zero3.json`.
    """
    if recipe.header.sharding == "none":
        return {}
    config = plain(folder / f"{recipe.header.sharding}.json", "TRAINER_SHIPPED_DIR")
    if recipe.header.sharding == "zero3":
        return {"deepspeed": config}
    return {"fsdp": "full_shard auto_wrap", "fsdp_config": config}


def data_arguments(places: Places, preset: Preset, *, evaluates: bool) -> dict[str, Scalar]:
    """Return the arguments that say what is trained on, and how a chat is written down."""
    return {
        "model_name_or_path": plain(places.base, "MODELS_DIR"),
        "trust_remote_code": False,
        "dataset_dir": plain(places.run, "DATA_DIR"),
        "dataset": "train",
        "eval_dataset": "eval" if evaluates else None,
        "template": preset.template,
        "enable_thinking": preset.enable_thinking,
        # The empty block stands in every turn, also where earlier turns carry no loss.
        "preserve_thinking": True,
        "overwrite_cache": True,
    }


def safe_arguments(places: Places) -> dict[str, Scalar]:
    """Return the arguments that no recipe may choose."""
    return {
        "do_train": True,
        "output_dir": plain(places.run / "checkpoints", "DATA_DIR"),
        # We say ourselves what to resume from; LLaMA-Factory would take the newest, unchecked.
        "overwrite_output_dir": True,
        "save_strategy": "steps",
        "save_total_limit": None,  # the Trainer rotates by time, which may step back; we by step
        "save_only_model": False,
        "logging_strategy": "steps",
        "logging_nan_inf_filter": False,  # it would hide a diverged loss behind a mean
        "report_to": "none",
        "plot_loss": False,
        "disable_tqdm": True,
        "dataloader_num_workers": 0,
    }


def plain(path: Path, setting: str) -> str:
    """Return the absolute path as text. Raises InvalidInputError if a launcher would mangle it."""
    text = str(path)
    if UNSAFE_TEXT.search(text):
        raise InvalidInputError(
            f"{setting} must hold no white space and no '${{'",
            field=setting,
            hint="move the folder, or set the variable to a plain path",
        )
    return text


def dataset_info(dataset: Path, columns: dict[str, str], *, evaluates: bool) -> dict[str, Any]:
    """Return our own `dataset_info.json`: two files by absolute path, known columns only."""
    splits = ("train", "eval") if evaluates else ("train",)
    known = {key: name for key, name in columns.items() if key in COLUMNS}
    return {
        split: {"file_name": str(dataset / f"{split}.json"), "columns": known} for split in splits
    }


def recipe_yaml(arguments: dict[str, Scalar]) -> str:
    """Return the arguments as the YAML file that the engine (or `llamafactory-cli train`) reads."""
    return yaml.safe_dump(arguments, sort_keys=True, allow_unicode=True)


def config_hash(arguments: Mapping[str, Any]) -> str:
    """Return 12 hexadecimal digits that stand for the arguments: equal ones have equal digits.

    Places are left out, and of other paths the folders above the last: two runs of one recipe on
    one base are configured alike, wherever they lie.
    """
    known = {name: value for name, value in arguments.items() if name not in PLACES}
    named = {
        name: Path(value).name if isinstance(value, str) and value.startswith("/") else value
        for name, value in known.items()
    }
    text = json.dumps(named, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def for_device(arguments: Mapping[str, Any], *, card: bool) -> dict[str, Any]:
    """Return the arguments for a machine with a card or without one.

    Without a card LLaMA-Factory refuses 16-bit computation ("Your setup doesn't support bf16/gpu"),
    which few CPUs are faster with.
    """
    return {**arguments, "bf16": bool(arguments["bf16"]) and card}
