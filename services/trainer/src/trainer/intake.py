"""Take a run in: look up what the request names, see that it fits, queue it."""

import shutil

from contracts.artefact import ModelManifest
from contracts.dataset import DatasetManifest
from contracts.identity import new_id, now
from contracts.job import Job
from contracts.run import RunRecord, RunRequest
from kit.errors import InvalidInputError, StorageFullError, TonesmithError
from trainer.bases import Base
from trainer.preferences import check as check_pairs
from trainer.presets import preset_of
from trainer.promote import find_model
from trainer.recipe import Recipe
from trainer.runfolder import Ingredients, RunFolder, save
from trainer.workshop import Workshop

# Adapter and merged weights, and checkpoints with their optimizer, in sizes of the base.
SIZES_OF_BASE = 3


def look_up(shop: Workshop, request: RunRequest) -> Ingredients:
    """Return what a request names. Raises InvalidInputError naming the field and what is known."""
    recipe = shop.shelf.get(request.recipe)
    if recipe.header.kind == "base":
        raise InvalidInputError(
            f"recipe {request.recipe!r} builds a base model, not an adapter",
            field="recipe",
            hint="a run takes an adapter recipe, such as 'lora'; bases are built by `make starter`",
        )
    check_processes(shop, recipe)
    base = shop.bases.get(request.base_model)
    preset_of(base)  # refuses a base whose chats we cannot write down
    dataset = find_dataset(shop, request.dataset_id)
    check_pairs(recipe, request, dataset)
    return Ingredients(request, recipe, base, dataset, continued(shop, request, recipe, base))


def check_processes(shop: Workshop, recipe: Recipe) -> None:
    """Raise InvalidInputError where a recipe splits weights and there is one process only."""
    if recipe.header.sharding == "none" or not shop.engine.alone:
        return
    raise InvalidInputError(
        f"recipe {recipe.name!r} splits the weights over several processes, here is one",
        field="recipe",
        hint="set TRAINER_NPROC to the number of cards",
    )


def find_dataset(shop: Workshop, dataset_id: str) -> DatasetManifest:
    """Return the manifest of a dataset. Raises InvalidInputError where it cannot be trained on."""
    try:
        dataset = shop.volume.dataset_manifest(dataset_id)
    except FileNotFoundError as error:
        known = ", ".join(shop.volume.published("datasets")[-5:]) or "none"
        raise InvalidInputError(
            f"there is no dataset {dataset_id!r}; the latest: {known}",
            field="dataset_id",
            hint="generate or import one first",
        ) from error
    if not dataset.rows.get("train"):
        raise InvalidInputError("the dataset has no rows to train on", field="dataset_id")
    return dataset


def continued(
    shop: Workshop, request: RunRequest, recipe: Recipe, base: Base
) -> ModelManifest | None:
    """Return the model whose adapter goes on being trained; None where a new one begins.

    Raises InvalidInputError where there is none, or it does not fit the request.
    """
    if request.continues is None:
        return None
    try:
        model = find_model(shop, request.continues)
    except TonesmithError as error:
        raise InvalidInputError(str(error), field="continues") from error
    if why := misfit(shop, request, recipe, base, model):
        hint = "leave `continues` out to begin a new adapter"
        raise InvalidInputError(why, field="continues", hint=hint)
    return model


def misfit(
    shop: Workshop, request: RunRequest, recipe: Recipe, base: Base, model: ModelManifest
) -> str:
    """Return why a model's adapter cannot go on being trained so, or nothing."""
    rank = request.overrides.lora_rank
    if model.kind != "adapter" or not model.lora_rank:
        return f"model {model.id} has no adapter"
    if recipe.arguments.finetuning_type != "lora":
        return f"recipe {recipe.name!r} trains no adapter"
    if shop.bases.reference(base).weights_sha256 != model.base.weights_sha256:
        return f"model {model.id} is an adapter of {model.base.name!r}, not of {base.name!r}"
    if rank not in (None, model.lora_rank):
        return f"the adapter of model {model.id} has rank {model.lora_rank}, not {rank}"
    return ""


def check_space(shop: Workshop, given: Ingredients) -> None:
    """Raise StorageFullError where the run would not fit on the volume."""
    root = next(path for path in (shop.volume.root, *shop.volume.root.parents) if path.exists())
    free = shutil.disk_usage(root).free
    need = SIZES_OF_BASE * given.base.weights_bytes + shop.settings.reserve_bytes
    if free < need:
        raise StorageFullError(
            f"the run needs about {need >> 20} MB, the volume has {free >> 20} MB free",
            hint="remove old runs or models, or lower TRAINER_RESERVE_BYTES",
        )


def submit(shop: Workshop, request: RunRequest, key: str | None) -> Job:
    """Check a request and queue its run. Raises InvalidInputError, StorageFullError."""
    check_space(shop, look_up(shop, request))
    document = request.model_dump(mode="json")
    run_id, rank = new_id(request.name), request.priority
    job = shop.store.submit("run", run_id, document, key, priority=rank)
    folder = RunFolder(shop.volume, job.id)
    if not (folder.path / "run.json").exists():
        save(folder, RunRecord(id=job.id, state=job.state, request=request, created_at=now()))
    return job
