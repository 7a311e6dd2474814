"""Recipes: what LLaMA-Factory is told, made from a data file, a request and a dataset. Pure.

A recipe file holds LLaMA-Factory arguments and a header `tonesmith`. A request may change the
values in `contracts.run.Overrides`; where things lie and what makes a run safe is set here.
"""

import math
import re
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.dataset import DatasetManifest
from contracts.model import Authored, Name, check_name
from contracts.run import RunRequest
from kit.errors import InvalidInputError

Scalar = bool | int | float | str | None
COLUMNS = frozenset({"prompt", "query", "response", "system", "history"})
# A path with white space is torn apart by the multi-GPU launcher; `${...}` is interpolated by it.
UNSAFE_TEXT = re.compile(r"\s|\$\{")


class RecipeHeader(Authored):
    """Who should use a recipe, and what comes out."""

    summary: str
    when: str
    needs: str
    gives: str
    kind: Literal["adapter", "base"]


class RecipeInfo(RecipeHeader):
    """A recipe as `GET /recipes` lists it."""

    name: Name


class Arguments(BaseModel):
    """The LLaMA-Factory arguments that a recipe file may set: everything else is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: Literal["sft", "pt"] = "sft"
    finetuning_type: Literal["lora", "full"]
    train_from_scratch: bool = False
    lora_rank: int = Field(default=16, ge=1, le=256)
    lora_alpha: int = Field(default=32, ge=1, le=1024)
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    lora_target: str = "all"
    quantization_bit: Literal[4, 8] | None = Field(default=None, description="of the frozen base")
    per_device_train_batch_size: int = Field(ge=1)
    per_device_eval_batch_size: int = Field(default=16, ge=1)
    gradient_accumulation_steps: int = Field(default=1, ge=1)
    disable_gradient_checkpointing: bool = False
    optim: str = "adamw_torch"
    use_muon: bool = False
    learning_rate: float = Field(gt=0, lt=1)
    lr_scheduler_type: str = "cosine"
    warmup_steps: int = Field(default=0, ge=0)
    weight_decay: float = Field(default=0.0, ge=0)
    adam_beta2: float = Field(default=0.999, gt=0, lt=1)
    max_grad_norm: float = Field(default=1.0, gt=0)
    num_train_epochs: float = Field(default=1.0, gt=0)
    max_steps: int = Field(default=-1, ge=-1, description="-1: as many as the epochs have")
    cutoff_len: int = Field(default=512, ge=16)
    packing: bool = False
    mask_history: bool = False
    train_on_prompt: bool = False
    logging_steps: int = Field(default=10, ge=1)
    eval_steps: int = Field(default=100, ge=1)
    save_steps: int = Field(default=100, ge=1)
    bf16: bool = False
    seed: int = Field(default=7, ge=0)


class Recipe(BaseModel):
    """A recipe file, read and checked."""

    model_config = ConfigDict(frozen=True)

    name: str
    header: RecipeHeader
    arguments: Arguments

    @property
    def info(self) -> RecipeInfo:
        """The recipe as it is listed."""
        return RecipeInfo(name=self.name, **self.header.model_dump())


class Places(BaseModel):
    """The absolute paths of a run."""

    model_config = ConfigDict(frozen=True)

    base: Path
    dataset: Path
    run: Path


def parse_recipe(name: str, text: str) -> Recipe:
    """Return the recipe in `text`. Raises InvalidInputError that names the recipe and the field."""
    try:
        document = yaml.safe_load(text)
        if not isinstance(document, dict):
            raise InvalidInputError(f"recipe {name!r} is no mapping", field="recipe")
        header = document.pop("tonesmith", None)
        return Recipe.model_validate({"name": name, "header": header, "arguments": document})
    except yaml.YAMLError as error:
        raise InvalidInputError(f"recipe {name!r} is no YAML: {error}", field="recipe") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = f"recipe {name!r}: {where}: {first['msg']}"
        raise InvalidInputError(message, field="recipe") from error


class Shelf:
    """The recipes in a folder, `<name>.yaml` each, read when asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Return the names of all recipes, sorted."""
        return sorted(path.stem for path in self.folder.glob("*.yaml"))

    def all(self) -> list[RecipeInfo]:
        """Return every recipe as it is listed."""
        return [self.get(name).info for name in self.names()]

    def get(self, name: str) -> Recipe:
        """Return the recipe of that name. Raises InvalidInputError that lists the known ones."""
        if name not in self.names():
            known = ", ".join(self.names()) or "none"
            raise InvalidInputError(
                f"there is no recipe {name[:80]!r}; known: {known}", field="recipe"
            )
        path = self.folder / f"{check_name(name)}.yaml"
        return parse_recipe(name, path.read_text(encoding="utf-8"))


def engine_arguments(
    recipe: Recipe, request: RunRequest, dataset: DatasetManifest, places: Places, template: str
) -> dict[str, Scalar]:
    """Return LLaMA-Factory's arguments of a run.

    Raises:
        InvalidInputError: a path cannot be handed on safely.
    """
    changes = request.overrides.model_dump(exclude_none=True)
    if "num_train_epochs" in changes and "max_steps" not in changes:
        changes["max_steps"] = -1  # the Trainer would take the recipe's steps and not the epochs
    chosen = Arguments.model_validate(recipe.arguments.model_dump() | changes)
    evaluates = dataset.rows.get("eval", 0) > 0
    return {
        **chosen.model_dump(exclude={"logging_steps", "eval_steps"}),
        **data_arguments(places, template, evaluates=evaluates),
        **safe_arguments(places),
        # A window of logged loss that a resume cuts in two would be reported as another loss.
        "logging_steps": math.gcd(chosen.logging_steps, chosen.save_steps),
        "eval_strategy": "steps" if evaluates else "no",
        "eval_steps": chosen.eval_steps if evaluates else None,
    }


def data_arguments(places: Places, template: str, *, evaluates: bool) -> dict[str, Scalar]:
    """Return the arguments that say what is trained on, and how a chat is written down."""
    return {
        "model_name_or_path": plain(places.base, "MODELS_DIR"),
        "trust_remote_code": False,
        "dataset_dir": plain(places.run, "DATA_DIR"),
        "dataset": "train",
        "eval_dataset": "eval" if evaluates else None,
        "template": template,
        "enable_thinking": False,
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
