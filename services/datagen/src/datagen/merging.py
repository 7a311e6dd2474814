"""Merge shards: the very dataset that one worker would have made of the same replies.

A concatenation would not do, since near duplicates are judged across all rows: what the shards
have on record is settled together, then published.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from contracts.dataset import DatasetManifest
from contracts.volume import MANIFEST, Volume
from datagen.config import Settings
from datagen.finishing import publish_generated
from datagen.generate import Plan
from datagen.library import StyleLibrary
from datagen.makings import open_makings
from datagen.metrics import Metrics
from datagen.publish import finish_publishing
from datagen.settling import SETTLED, Settling
from datagen.shard_teachers import open_rest
from datagen.shards import LOCK, finished_shards, held, shared_plan
from kit.errors import ConflictError, NotFoundError


async def merge(settings: Settings, dataset_id: str) -> DatasetManifest:
    """Settle and publish a dataset whose shards are finished; return its manifest.

    It may be done again: what is published stays. Killed at any moment it goes on at its next
    start, and asks nothing twice.

    Raises:
        NotFoundError: there is no such dataset under way.
        ConflictError: shards are missing or unfinished, or another process is at work.
        TonesmithError: the teacher is needed once more, and does not answer.
    """
    volume = Volume(settings.data_dir.absolute())
    target = volume.dataset(dataset_id)
    if (target / MANIFEST).exists():
        return volume.dataset_manifest(dataset_id)
    staging = target.with_name(f".tmp-{target.name}")
    if not staging.is_dir():
        raise NotFoundError(
            f"there is no dataset {dataset_id!r}, and none under way",
            field="dataset",
            hint="take the id that the shards were started with",
        )
    with held(staging / "merge.lock", "another process merges this dataset"):
        if (staging / MANIFEST).exists():  # killed in the last step
            return finish_publishing(volume, dataset_id)
        plan = shared_plan(staging)
        shards = finished_shards(staging, plan.shards)
        with ExitStack() as locks:
            for shard in shards:
                locks.enter_context(held(shard / LOCK, f"shard {shard.name} is being filled"))
            return await settled_and_published(settings, volume, dataset_id, plan, shards)


async def settled_and_published(
    settings: Settings, volume: Volume, dataset_id: str, plan: Plan, shards: Sequence[Path]
) -> DatasetManifest:
    """Settle what the shards in the folders `shards` have on record, and publish it."""
    staging = volume.staging(volume.dataset(dataset_id))
    library, makings = StyleLibrary(volume), open_makings(settings)
    folder = staging / SETTLED
    teacher = open_rest(settings, Metrics(), folder, library, makings.banks, shards)
    try:
        counts = await Settling(staging, shards, teacher, partial(makings.generation, plan)).run()
    finally:
        await teacher.close()
    if counts is None:
        raise ConflictError("the merge was stopped")
    return publish_generated(volume, dataset_id, plan, counts, teacher.model)
