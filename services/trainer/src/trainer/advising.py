"""Answer a request for advice: look up what it names, measure the rows, ask the advisor."""

import asyncio
import json

from contracts.advice import Advice, AdviceRequest
from contracts.dataset import DatasetManifest
from contracts.run import Fit, Overrides, RunRecord, RunRequest
from trainer.advisor import advise, recognised
from trainer.arguments import Places, engine_arguments
from trainer.bases import Base
from trainer.doubts import style_counts
from trainer.fitting import FitFailedError, Fitted, ask_fit
from trainer.intake import find_dataset
from trainer.recipe_choice import chosen_recipe
from trainer.rows import write_chats
from trainer.runfolder import RunFolder, first_record
from trainer.workshop import Workshop

RUNS = 1000  # of which those on this dataset make the learning curve


async def advice(shop: Workshop, request: AdviceRequest) -> Advice:
    """Return how to train on a dataset, and why.

    The engine counts the rows' tokens once; it keeps the lengths, and a run asks for the same.

    Raises:
        InvalidInputError: there is no such dataset or base; it names the field.
        EngineMissingError: there is no engine to count the rows' tokens.
    """
    dataset = find_dataset(shop, request.dataset_id)
    base = shop.bases.get(request.base_model)
    try:
        fit = await measured(shop, request, dataset, base)
    except FitFailedError as error:  # no recipe fits that card, say: the advisor tells what would
        told = await asyncio.to_thread(advised, shop, request, dataset, base, None)
        said = f"the advice knows no lengths of rows: {error}"
        return told.model_copy(update={"warnings": [said, *told.warnings]})
    return await asyncio.to_thread(advised, shop, request, dataset, base, fit)


async def measured(
    shop: Workshop, request: AdviceRequest, dataset: DatasetManifest, base: Base
) -> Fitted:
    """Return how a run would be fitted, without a step on the card."""
    source = shop.volume.dataset(dataset.id).resolve()
    preset, _ = recognised(base)
    recipe, _, _ = chosen_recipe(shop.shelf, base, preset, request.card_bytes, 0)
    asked = RunRequest(dataset_id=dataset.id, base_model=base.name, recipe=recipe.name)
    places = Places(base=base.path, dataset=source, run=source)
    arguments = engine_arguments(recipe, asked, dataset, places, preset)
    return await ask_fit(
        shop.engine,
        arguments,
        Overrides(),
        settings=shop.settings,
        card_bytes=request.card_bytes,
        probe=False,
        dataset_info=write_chats(source, source, 1.0),
    )


def advised(
    shop: Workshop, request: AdviceRequest, dataset: DatasetManifest, base: Base, fit: Fitted | None
) -> Advice:
    """Return the advisor's word, which counts the rows of each style and knows the earlier runs."""
    train = shop.volume.dataset(dataset.id) / "train.json"
    counts = style_counts(json.loads(train.read_text(encoding="utf-8")), dataset.styles)
    runs = earlier_runs(shop)
    answer = fit.model_dump() if fit else {}
    told = advise(request, dataset, base, answer, shop.shelf, runs, rows_by_style=counts)
    planned = Fit.model_validate(answer) if fit else None
    return told.model_copy(update={"fit": planned})


def earlier_runs(shop: Workshop) -> list[RunRecord]:
    """Return the records of the newest runs."""
    return [
        first_record(job, RunFolder(shop.volume, job.id)).model_copy(update={"state": job.state})
        for job in shop.store.newest("run", RUNS)
    ]
