"""Shards as processes: four of them, one killed and started again, make what one worker makes."""

import json
import signal
import subprocess
import time
from pathlib import Path

from contracts.job import JobState
from contracts.volume import MANIFEST, Volume
from datagen.datasets import KIND, DatasetHandler
from datagen.journals import SAMPLES
from datagen.library import StyleLibrary
from datagen.services import Services
from datagen.shards import Shard
from fakes.sharded import Cluster, data_files, poor, rows_of
from kit.worker import Worker

# Each situation comes twice or more, in a card's few words: so there are near duplicates.
REQUEST = {"styles": ["poor"], "per_style": 800, "multi_turn_ratio": 0.05, "turns": 3, "seed": 3}
CARD = poor("tsundere", closers=1).model_copy(update={"id": "poor"})
PATIENCE_SECONDS = 120


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Return the exit code of a process, and what it said."""
    said = process.communicate(timeout=PATIENCE_SECONDS)[1]
    return process.returncode, said


def kill_amid(process: "subprocess.Popen[str]", journal: Path) -> None:
    """Kill a shard as soon as it has some rows."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not journal.exists() or journal.read_bytes().count(b"\n") < 5:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()


async def made_by_one_worker(services: Services) -> Path:
    """Run the job of the service; return the folder of its dataset."""
    services.library.put(CARD)
    handler = DatasetHandler(
        services.volume,
        services.library,
        services.banks,
        services.prompts,
        services.teacher,
        services.metrics,
        services.screens,
    )
    worker = Worker(services.store, {KIND: handler})
    services.store.submit(KIND, "alone", REQUEST)
    job = services.store.claim()
    assert job is not None
    await worker.run_job(job)
    job = services.store.get("alone")
    assert job.state is JobState.DONE, job.error
    await services.teacher.close()
    return services.volume.dataset("alone")


async def test_four_shards_one_killed_make_the_dataset_of_one_worker(
    services: Services, tmp_path: Path
) -> None:
    """The same questions and replies, row by row, and the same files, byte by byte."""
    alone = await made_by_one_worker(services)
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(tmp_path / "cluster", REQUEST)
    volume = Volume(tmp_path / "cluster" / "data")
    StyleLibrary(volume).put(CARD)
    staging = volume.dataset("parted").with_name(".tmp-parted")
    third = cluster.shard("parted", "3/4")
    kill_amid(third, Shard(3, 4).folder(staging) / SAMPLES)
    others = [cluster.shard("parted", f"{number}/4") for number in (1, 2, 4)]
    assert [ended(process)[0] for process in others] == [0, 0, 0]
    code, said = ended(cluster.merge("parted"))
    assert code == 1
    assert "1 of 4 shards are not finished: 3/4 (unfinished)" in said
    again = cluster.shard("parted", JOB_COMPLETION_INDEX="2", JOB_COMPLETIONS="4")
    assert ended(again)[0] == 0
    assert ended(cluster.merge("parted"))[0] == 0
    merged = volume.dataset("parted")
    asked = [{(row["style"], row["question"]) for row in rows_of(f)[0]} for f in (alone, merged)]
    assert asked[0] == asked[1]
    assert rows_of(merged) == rows_of(alone)
    assert data_files(merged) == data_files(alone)
    manifests = [json.loads((folder / MANIFEST).read_text()) for folder in (alone, merged)]
    counts = [manifest["counts"] for manifest in manifests]
    for one in counts:
        rows = one["accepted"] + sum(one["rejected"].values())
        assert one.pop("teacher_calls") - one.pop("superseded") > rows
    assert counts[0] == counts[1]
    assert counts[0]["rejected"]["near_duplicate"] >= 5
    assert {path.name for path in merged.iterdir()} == {*manifests[1]["files"], MANIFEST}
