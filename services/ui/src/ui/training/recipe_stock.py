"""What a run can be made of: datasets, bases, recipes, models to go on from, and the card."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from contracts.artefact import BaseModelRef, ModelManifest
from contracts.dataset import DatasetManifest
from contracts.gpu import GpuReport
from ui.errors import ProblemError
from ui.texts import Texts
from ui.upstream.backend import Backend
from ui.upstream.trainer_calls import RecipeChoice

MOST = 100
# A run trains with these; a recipe of kind `base` makes no adapter.
STAGES = ("sft", "dpo", "kto")
DATASETS_SECONDS = 3.0


@dataclass(frozen=True)
class Stock:
    """What there is, the newest first; and why a part of it is not known."""

    datasets: tuple[DatasetManifest, ...] = ()
    bases: tuple[BaseModelRef, ...] = ()
    recipes: tuple[RecipeChoice, ...] = ()
    models: tuple[ModelManifest, ...] = ()
    gpus: GpuReport | None = None
    problem: ProblemError | None = None

    def of_stage(self, stage: str) -> list[RecipeChoice]:
        """Return the recipes of a stage that a run may name."""
        return [each for each in self.recipes if each.stage == stage and each.kind != "base"]

    def recipe(self, name: object) -> RecipeChoice | None:
        """Return the recipe of that name, or None."""
        return next((each for each in self.recipes if each.name == name), None)


async def stock(backend: Backend) -> Stock:
    """Return what there is; never raises, and asks everything at once."""
    datasets = backend.datasets.calls.get(
        "/datasets", list[DatasetManifest], seconds=DATASETS_SECONDS
    )
    trainer = backend.trainer
    asked: list[Awaitable[Any]] = [
        datasets,
        trainer.bases(),
        trainer.recipes(),
        trainer.models(),
        trainer.gpus(),
    ]
    found = await asyncio.gather(*(answer(each) for each in asked))
    # Without the trainer nothing can be started, whatever there is to train on.
    problems = [each for each in (*found[1:], found[0]) if isinstance(each, ProblemError)]
    lists = [() if isinstance(each, ProblemError) else each for each in found[:4]]
    return Stock(
        tuple(newest(lists[0])),
        tuple(lists[1][:MOST]),
        tuple(lists[2][:MOST]),
        tuple(newest(lists[3])),
        None if isinstance(found[4], ProblemError) else found[4],
        next(iter(problems), None),
    )


async def answer(asked: Awaitable[Any]) -> Any:
    """Return an answer, or why there is none."""
    try:
        return await asked
    except ProblemError as problem:
        return problem


def newest(found: Any) -> list[Any]:
    """Return documents, the newest first, a bounded number of them."""
    return sorted(found, key=lambda each: each.created_at, reverse=True)[:MOST]


def dataset_choices(texts: Texts, found: Stock, stage: str) -> list[tuple[str, str]]:
    """Return the datasets as the picker offers them; a preference run needs pairs."""
    split = "train" if stage == "sft" else "preference"
    key = "recipe.rows" if stage == "sft" else "recipe.pairs"
    return [
        (f"{each.id} · {texts(key, rows=each.rows.get(split, 0))}", each.id)
        for each in found.datasets
        if each.rows.get(split)
    ]


def continue_choices(texts: Texts, found: Stock, base: object) -> list[tuple[str, str]]:
    """Return the models of a base whose adapter may go on being trained; first none."""
    fitting = [each for each in found.models if each.lora_rank and each.base.name == base]
    return [(texts("recipe.anew"), ""), *((each.id, each.id) for each in fitting)]
