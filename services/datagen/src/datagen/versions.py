"""Versions of a dataset: each names its parent, so a family is a tree; going back adds a version.

A published version never changes and none is taken away: a rollback publishes the older content
once more.
"""

import re
import shutil
import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from contracts.dataset import DatasetManifest
from contracts.identity import new_id, now
from contracts.lineage import Lineage
from contracts.versions import DatasetVersion, Rollback
from contracts.volume import MANIFEST, Volume
from datagen.datasets import readable_manifests
from kit.errors import ConflictError, NotFoundError

MADE = re.compile(r"-\d{8}-[0-9a-f]{6}$")
Given = ParamSpec("Given")
Made = TypeVar("Made")
NUMBERING = threading.Lock()


def numbered(publish: Callable[Given, Made]) -> Callable[Given, Made]:
    """Let `publish` make one version at a time: two at once would take the same number."""

    @wraps(publish)
    def alone(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        with NUMBERING:
            return publish(*args, **kwargs)

    return alone


def published(volume: Volume, dataset_id: str, field: str = "dataset_id") -> DatasetManifest:
    """Return the manifest of a published dataset. Raises NotFoundError that names `field`."""
    try:
        return volume.dataset_manifest(dataset_id)
    except (FileNotFoundError, ValueError) as error:
        raise NotFoundError(
            f"there is no dataset {dataset_id[:80]!r}",
            field=field,
            hint="GET /datasets lists them",
        ) from error


def version_of(manifest: DatasetManifest) -> DatasetVersion:
    """Return what a list of versions says of one."""
    lineage = manifest.lineage
    return DatasetVersion(
        id=manifest.id,
        version=lineage.version if lineage else 1,
        created_at=manifest.created_at,
        source=manifest.source,
        rows=manifest.rows,
        lineage=lineage,
    )


def root_of(manifest: DatasetManifest) -> str:
    """Return the id of the first version."""
    return manifest.lineage.root if manifest.lineage else manifest.id


def family(volume: Volume, dataset_id: str) -> list[DatasetVersion]:
    """Return every version with the same root, oldest first. Raises NotFoundError."""
    root = root_of(published(volume, dataset_id))
    found = [one for one in readable_manifests(volume) if root_of(one) == root]
    return sorted(map(version_of, found), key=lambda one: (one.version, one.created_at))


def chain(volume: Volume, dataset_id: str) -> list[DatasetVersion]:
    """Return a dataset and the versions it comes from, itself last. Raises NotFoundError.

    The chain ends early where an older version was removed from the volume.
    """
    newest = version_of(published(volume, dataset_id))
    by_id = {one.id: one for one in family(volume, dataset_id)}
    found, at = [newest], newest
    while at.lineage and (parent := by_id.get(at.lineage.parent)) and parent not in found:
        found.append(parent)
        at = parent
    return found[::-1]


def next_lineage(volume: Volume, parent: DatasetManifest) -> Lineage:
    """Return the lineage of a version made of `parent`: one more than any of its family."""
    newest = max(one.version for one in family(volume, parent.id))
    return Lineage(version=newest + 1, parent=parent.id, root=root_of(parent))


def next_id(manifest: DatasetManifest, name: str | None) -> str:
    """Return the id of a version made of a dataset, under its own name or another."""
    return new_id(name or MADE.sub("", manifest.id))


@numbered
def roll_back(volume: Volume, dataset_id: str, request: Rollback) -> DatasetManifest:
    """Publish a new version of `dataset_id` whose files equal those of an older one.

    Raises:
        NotFoundError: there is no such dataset, or no such older one.
        ConflictError: the other is no version of this dataset, or this very one.
    """
    newest = published(volume, dataset_id)
    older = published(volume, request.to, field="to")
    if root_of(older) != root_of(newest) or older.id == newest.id:
        raise ConflictError(
            f"{older.id!r} is no other version of {newest.id!r}",
            field="to",
            hint="GET /datasets/{id}/versions lists them",
        )
    made = next_id(newest, request.name)
    lineage = next_lineage(volume, newest).model_copy(update={"restores": older.id})
    manifest = older.model_copy(
        update={"id": made, "created_at": now(), "source": "restored", "lineage": lineage}
    )
    publish_copy(volume, older.id, manifest)
    return manifest


def publish_copy(volume: Volume, source: str, manifest: DatasetManifest) -> None:
    """Publish the files of a dataset under another manifest; on an error nothing stays."""
    target = volume.dataset(manifest.id)
    staging = volume.staging(target)
    try:
        copy = ignoring(MANIFEST)
        shutil.copytree(volume.dataset(source), staging, dirs_exist_ok=True, ignore=copy)
        volume.publish(target, manifest)
    except OSError:
        volume.discard(target)
        raise


def ignoring(name: str) -> Callable[[str, list[str]], set[str]]:
    """Return what tells `copytree` to leave files of this name out."""
    return lambda _, names: {name} & set(names)
