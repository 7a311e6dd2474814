"""Tests of versions: the family, the chain, and going back."""

import shutil

import pytest

from contracts.durable import digest_differences
from contracts.lineage import Lineage
from contracts.versions import Rollback
from contracts.volume import Volume
from datagen.versions import chain, family, next_lineage, publish_copy, roll_back
from fakes.reviewed import FIRST, publish_first
from kit.errors import ConflictError, NotFoundError


def child(volume: Volume, parent: str, name: str) -> str:
    """Publish a copy of a dataset as the next version of it."""
    manifest = volume.dataset_manifest(parent)
    lineage = next_lineage(volume, manifest)
    fresh = manifest.model_copy(update={"id": name, "source": "reviewed", "lineage": lineage})
    publish_copy(volume, parent, fresh)
    return name


@pytest.fixture
def first(volume: Volume) -> str:
    """A dataset without parents."""
    return publish_first(volume, per_style=3)


def test_dataset_by_itself_is_version_one(volume: Volume, first: str) -> None:
    """No lineage is a first version."""
    assert [(one.id, one.version, one.lineage) for one in family(volume, first)] == [
        (FIRST, 1, None)
    ]
    assert [one.id for one in chain(volume, first)] == [FIRST]


def test_versions_of_two_branches_are_one_family(volume: Volume, first: str) -> None:
    """Numbers never come twice; a chain follows the parents only."""
    second, third = child(volume, first, "b"), child(volume, first, "c")
    fourth = child(volume, second, "d")
    ids = [FIRST, second, third, fourth]
    for name in ids:
        found = family(volume, name)
        assert [(one.id, one.version) for one in found] == list(zip(ids, range(1, 5), strict=True))
    assert [one.id for one in chain(volume, fourth)] == [FIRST, second, fourth]


def test_chain_ends_where_a_parent_was_removed(volume: Volume, first: str) -> None:
    """What is left is shown."""
    second = child(volume, first, "b")
    third = child(volume, second, "c")
    shutil.rmtree(volume.dataset(second))
    assert [one.id for one in chain(volume, third)] == [third]
    assert [one.id for one in family(volume, third)] == [FIRST, third]


def test_rollback_equals_the_older_version(volume: Volume, first: str) -> None:
    """Every file is the same; the parent is the version that was left."""
    second = child(volume, first, "b")
    made = roll_back(volume, second, Rollback(to=first))
    assert made.lineage == Lineage(version=3, parent=second, root=FIRST, restores=FIRST)
    assert made.source == "restored"
    assert made.files == volume.dataset_manifest(first).files
    assert volume.dataset_manifest(made.id) == made
    assert not digest_differences(volume.dataset(made.id), made.files)
    assert made.id.startswith("b-")


def test_rollback_keeps_the_name_or_takes_another(volume: Volume, first: str) -> None:
    """The date and the six digits of the id are not part of the name."""
    second = child(volume, first, "b")
    assert roll_back(volume, first, Rollback(to=second)).id.startswith("made-")
    assert roll_back(volume, first, Rollback(to=second, name="fresh")).id.startswith("fresh-")


def test_rollback_to_a_stranger_or_to_itself_is_refused(volume: Volume, first: str) -> None:
    """The field is named."""
    manifest = volume.dataset_manifest(first)
    publish_copy(volume, first, manifest.model_copy(update={"id": "stranger"}))
    for other in ("stranger", first):
        with pytest.raises(ConflictError, match="no other version") as caught:
            roll_back(volume, first, Rollback(to=other))
        assert caught.value.body.field == "to"


def test_missing_dataset_is_not_found(volume: Volume, first: str) -> None:
    """Either of the two."""
    with pytest.raises(NotFoundError, match="there is no dataset 'none'") as caught:
        roll_back(volume, first, Rollback(to="none"))
    assert caught.value.body.field == "to"
    with pytest.raises(NotFoundError):
        chain(volume, "none")


def test_copy_that_fails_leaves_nothing(volume: Volume, first: str) -> None:
    """The staging folder is gone too."""
    manifest = volume.dataset_manifest(first)
    with pytest.raises(FileExistsError):
        publish_copy(volume, first, manifest)
    assert [path.name for path in (volume.root / "datasets").iterdir()] == [FIRST]
