"""Take a run in: look up what the request names, see that it fits, queue it."""

import shutil

from contracts.identity import new_id, now
from contracts.job import Job
from contracts.run import RunRecord, RunRequest
from kit.errors import InvalidInputError, StorageFullError
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
    base = shop.bases.get(request.base_model)
    try:
        dataset = shop.volume.dataset_manifest(request.dataset_id)
    except FileNotFoundError as error:
        known = ", ".join(shop.volume.published("datasets")[-5:]) or "none"
        raise InvalidInputError(
            f"there is no dataset {request.dataset_id!r}; the latest: {known}",
            field="dataset_id",
            hint="generate or import one first",
        ) from error
    if not dataset.rows.get("train"):
        raise InvalidInputError("the dataset has no rows to train on", field="dataset_id")
    return Ingredients(request, recipe, base, dataset)


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
    job = shop.store.submit("run", new_id(request.name), request.model_dump(mode="json"), key)
    folder = RunFolder(shop.volume, job.id)
    if not (folder.path / "run.json").exists():
        save(folder, RunRecord(id=job.id, state=job.state, request=request, created_at=now()))
    return job
