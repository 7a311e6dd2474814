"""Tests of merges where the processes of `test_shard.py` do not reach."""

import asyncio
import errno
import os
import shutil
from pathlib import Path

import pytest

from contracts.dataset import DatasetRequest
from contracts.durable import digest_differences
from contracts.volume import Volume
from datagen.api import rows_of as rows_shown
from datagen.config import Settings
from datagen.journals import REJECTED
from datagen.merging import merge
from datagen.services import Services
from datagen.shard import fill_shard, main
from datagen.shards import LOCK, Shard, held
from fakes.sharded import data_files, rows_of
from kit.errors import ConflictError

REQUEST = DatasetRequest(styles=["gentle", "shy"], per_style=4, multi_turn_ratio=0.5)


@pytest.fixture
def staging(settings: Settings) -> Path:
    """The staging folder of a dataset whose two shards are finished."""
    volume = Volume(settings.data_dir)
    staging = volume.staging(volume.dataset("made"))
    for number in (1, 2):
        asyncio.run(fill_shard(settings, staging, REQUEST, Shard(number, 2)))
    return staging


def merged(settings: Settings, source: Path, root: Path, writes: int | None = None) -> Volume:
    """Merge a copy of the dataset in `source`; return its volume.

    Where `writes` are given, the disk refuses all after so many, and the merge is begun again.
    """
    copied = settings.model_copy(update={"data_dir": root})
    shutil.copytree(source, root / "datasets" / source.name)
    if writes is not None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("contracts.durable.os.fsync", Disk(writes).fsync)
            with pytest.raises(OSError, match="is gone"):
                asyncio.run(merge(copied, "made"))
    asyncio.run(merge(copied, "made"))
    return Volume(root)


class Disk:
    """Takes so many writes.

    Args:
        writes: after which each one is refused.
    """

    def __init__(self, writes: int) -> None:
        self.left = writes
        self._fsync = os.fsync

    def fsync(self, descriptor: int) -> None:
        """Make a file durable, or raise OSError."""
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.EIO, "the disk is gone")
        self._fsync(descriptor)


@pytest.mark.parametrize("writes", range(0, 24, 3))
def test_merge_that_fails_at_any_write_goes_on_at_its_next_start(
    settings: Settings, staging: Path, tmp_path: Path, writes: int
) -> None:
    """Whichever write is the last one before the end, the dataset becomes the same."""
    expected = merged(settings, staging, tmp_path / "whole")
    volume = merged(settings, staging, tmp_path / "cut", writes)
    folders = [one.dataset("made") for one in (expected, volume)]
    manifests = [one.dataset_manifest("made") for one in (expected, volume)]
    assert not digest_differences(folders[1], manifests[1].files)
    assert manifests[0].counts == manifests[1].counts
    assert {path.name for path in folders[1].iterdir()} == {*manifests[1].files, "manifest.json"}
    assert data_files(folders[0]) == data_files(folders[1])
    assert rows_of(folders[0]) == rows_of(folders[1])


@pytest.mark.usefixtures("logs_as_before")
def test_merge_and_shard_of_a_published_dataset_change_nothing(
    settings: Settings, staging: Path, tmp_path: Path
) -> None:
    """Both may be started again at any time."""
    manifest = asyncio.run(merge(settings, "made"))
    assert asyncio.run(merge(settings, "made")) == manifest
    path = tmp_path / "request.json"
    path.write_text(REQUEST.model_dump_json())
    arguments = ["--dataset", "made", "--request", str(path), "--shard", "1/2"]
    assert main(arguments, {"DATA_DIR": str(settings.data_dir)}) == 0
    assert not staging.exists()


def test_merge_waits_for_no_shard_that_is_at_work(settings: Settings, staging: Path) -> None:
    """A finished shard that somebody started again is named."""
    with held(Shard(2, 2).folder(staging) / LOCK, ""), pytest.raises(ConflictError) as error:
        asyncio.run(merge(settings, "made"))
    assert error.value.body.message == "shard 2-of-2 is being filled"


def test_rows_of_shards_can_be_looked_at_before_the_merge(
    services: Services, staging: Path
) -> None:
    """As those of a job that runs: all of them, each once."""
    rows = rows_shown(services, "made", "accepted", None)
    assert len({row.slot for row in rows}) == len(rows) == 8
    assert {row.style for row in rows_shown(services, "made", "accepted", "shy")} == {"shy"}
    assert len(rows_shown(services, "made", "rejected", None)) == len(rejected_in(staging))


def rejected_in(staging: Path) -> list[str]:
    """Return the lines of the shards' journals of refused attempts."""
    paths = sorted(staging.glob(f"shards/*/{REJECTED}"))
    return [line for path in paths for line in path.read_text().splitlines()]
