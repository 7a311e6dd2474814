"""Which recipe a base and a card allow: the best of those whose smallest step fits. Pure."""

import math
from collections.abc import Callable

from contracts.advice import Reason
from kit.errors import InvalidInputError
from trainer.bases import Base
from trainer.engine import memory
from trainer.presets import Preset
from trainer.recipe import Recipe, Shelf

# From the one that learns best to the one that needs least memory.
ADAPTERS = ("lora", "qlora")
# Highest share of the card that a run's peak may take: the default of TRAINER_VRAM_HIGH.
FULL = 0.95
GIB = 1 << 30

Needed = Callable[[Recipe, Base, Preset, int], int | None]


def predicted_bytes(recipe: Recipe, base: Base, preset: Preset, cutoff: int) -> int | None:
    """Return the peak of the smallest step that trains at all: one row, activations twice.

    None for a family whose layers the prediction does not know (`trainer.engine.memory`).
    """
    arch = memory.architecture(base.config)
    if arch is None:
        return None
    arguments = recipe.arguments_for(large=preset.large)
    run = memory.training(arguments.model_dump(), arch)
    length = cutoff or arguments.cutoff_len
    step = memory.Step(micro=1, sequence=length, packed=False, checkpointing=True)
    return memory.total(memory.predict(arch, run, step))


def chosen_recipe(
    shelf: Shelf,
    base: Base,
    preset: Preset,
    card: int | None,
    cutoff: int,
    needed: Needed = predicted_bytes,
) -> tuple[Recipe, Reason, list[str]]:
    """Return the recipe that fits the card, why, and what stands against it.

    Args:
        shelf: the recipes.
        base: the base model.
        preset: of the base.
        card: its memory in bytes, or None for a CPU.
        cutoff: tokens of the longest row; 0: the recipe's own cutoff.
        needed: bytes that the smallest step takes, or None where that is not known.

    Raises InvalidInputError where the shelf has neither `lora` nor `qlora`.
    """
    recipes = [shelf.get(name) for name in ADAPTERS if name in shelf.names()]
    if not recipes:
        raise InvalidInputError(
            "there is neither a recipe 'lora' nor 'qlora' to propose", field="recipe"
        )
    if card is None:
        return without_card(recipes[0], preset)
    least = 0
    for recipe in recipes:
        need = needed(recipe, base, preset, cutoff)
        if need is None:
            why = "How much memory this family of models takes is not known; the run will probe it."
            return recipe, because("recipe", recipe.name, why), []
        if need <= FULL * card:
            return recipe, because("recipe", recipe.name, fits(recipe, need, card)), []
        least = need
    why = f"It takes least memory, but its {gib(least)} are more than {FULL:.0%} of {gib(card)}."
    return recipes[-1], because("recipe", recipes[-1].name, why), [misfit(base, least, card)]


def without_card(recipe: Recipe, preset: Preset) -> tuple[Recipe, Reason, list[str]]:
    """Return the recipe for a machine without a card."""
    why = "There is no card here: an adapter learns with few weights, which a CPU can do."
    slow = "the base has 100 million weights or more: without a card a run takes hours to days"
    return recipe, because("recipe", recipe.name, why), [slow] if preset.large else []


def fits(recipe: Recipe, need: int, card: int) -> str:
    """Return why a recipe is the first that fits."""
    bits = recipe.arguments.quantization_bit
    if bits is None:
        return (
            f"The base fits the card in 16 bits: a step takes {gib(need)} at least, "
            f"of {gib(card)}; an adapter on it needs no more."
        )
    return (
        f"In 16 bits the base does not fit {gib(card)}; in {bits} bits a step takes {gib(need)} "
        "at least, and the larger rank makes up for the coarser base."
    )


def misfit(base: Base, need: int, card: int) -> str:
    """Return what to do with a base that no recipe fits onto the card."""
    wanted = math.ceil(need / FULL / GIB)
    return (
        f"base {base.name!r} does not fit a card of {gib(card)} even in 4 bits: take a card of "
        f"{wanted} GiB or more, a base of about {card / need:.0%} of its size, shorter rows, or "
        "several cards and a recipe with `sharding`"
    )


def because(choice: str, value: str, why: str) -> Reason:
    """Return a choice with its reason."""
    return Reason(choice=choice, value=value, why=why)


def gib(size: int) -> str:
    """Return bytes for people."""
    return f"{size / GIB:.1f} GiB"
