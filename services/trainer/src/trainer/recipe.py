"""Recipes: data files with LLaMA-Factory arguments and a header `tonesmith`, read and checked."""

from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.model import Authored, Name, check_name
from kit.errors import InvalidInputError


class RecipeHeader(Authored):
    """Who should use a recipe, and what comes out.

    Attributes:
        kind: `adapter`: a run makes an adapter on its base. `full`: a run makes whole weights,
            which serving takes as a new base in MODELS_DIR. `base`: `make starter` builds with it.
        sharding: how the weights are split over the processes of a run; needs more than one.
        large_base: arguments that change for a base of 100 million weights or more.
    """

    summary: str = Field(min_length=1)
    when: str = Field(min_length=1)
    needs: str = Field(min_length=1)
    gives: str = Field(min_length=1)
    kind: Literal["adapter", "full", "base"]
    sharding: Literal["none", "fsdp", "zero3"] = "none"
    large_base: dict[str, bool | int | float | str] = {}


class Arguments(BaseModel):
    """The LLaMA-Factory arguments that a recipe file may set: everything else is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stage: Literal["sft", "pt", "dpo", "kto"] = "sft"
    finetuning_type: Literal["lora", "full"]
    train_from_scratch: bool = False
    lora_rank: int = Field(default=16, ge=1, le=256)
    lora_alpha: int = Field(default=32, ge=1, le=1024)
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    lora_target: str = "all"
    quantization_bit: Literal[4, 8] | None = Field(default=None, description="of the frozen base")
    pref_beta: float = Field(default=0.1, gt=0, description="dpo, kto: pull of the reference model")
    pref_loss: Literal["sigmoid", "hinge", "ipo", "kto_pair", "orpo", "simpo"] = "sigmoid"
    pref_ftx: float = Field(default=0.0, ge=0, description="dpo, kto: share of the chat loss")
    kto_chosen_weight: float = Field(default=1.0, gt=0)
    kto_rejected_weight: float = Field(default=1.0, gt=0)
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
    neat_packing: bool = Field(default=False, description="packed rows do not see each other")
    train_sampling_strategy: Literal["random", "group_by_length"] = "random"
    flash_attn: Literal["auto", "disabled", "sdpa", "fa2", "fa3"] = "auto"
    ddp_timeout: int = Field(default=1800, ge=1, description="seconds that a process waits")
    mask_history: bool = False
    train_on_prompt: bool = False
    logging_steps: int = Field(default=10, ge=1)
    eval_steps: int = Field(default=100, ge=1)
    save_steps: int = Field(default=100, ge=1)
    bf16: bool = False
    seed: int = Field(default=7, ge=0)


class RecipeInfo(RecipeHeader):
    """A recipe as `GET /recipes` lists it, with the arguments for a small base."""

    name: Name
    arguments: Arguments


class Recipe(BaseModel):
    """A recipe file, read and checked."""

    model_config = ConfigDict(frozen=True)

    name: str
    header: RecipeHeader
    arguments: Arguments

    @property
    def info(self) -> RecipeInfo:
        """The recipe as it is listed."""
        values = self.header.model_dump() | {"arguments": self.arguments}
        return RecipeInfo(name=self.name, **values)

    def arguments_for(self, *, large: bool) -> Arguments:
        """Return the arguments for a base of 100 million weights or more, or for a smaller one."""
        changes = self.header.large_base if large else {}
        return Arguments.model_validate(self.arguments.model_dump() | changes)


def parse_recipe(name: str, text: str) -> Recipe:
    """Return the recipe in `text`. Raises InvalidInputError that names the recipe and the field."""
    try:
        document = yaml.safe_load(text)
        if not isinstance(document, dict):
            raise InvalidInputError(f"recipe {name!r} is no mapping", field="recipe")
        header = document.pop("tonesmith", None)
        recipe = Recipe.model_validate({"name": name, "header": header, "arguments": document})
        recipe.arguments_for(large=True)
        return recipe
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
