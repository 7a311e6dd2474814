"""Steps/s of a run through our trainer's engine entry against plain LLaMA-Factory, side by side.

    TRAINER_ENGINE_PYTHON=... python benchmarks/trainer_overhead.py [--rounds 3] [--steps 60]

Both train the shipped starter with the shipped recipe `lora` on the same rows, seed and YAML file,
each in a process of its own with the same environment. Ours adds progress events (fsync), sealed
checkpoints and cancelling. The figure is the Trainer's own `train_steps_per_second`, from the first
step to the last with its evaluations and saves, so that starting up does not count. The order turns
round in each round. Ends with status 1 where the median of ours is below 0.97 of plain.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from contracts.dataset import Conditioning, Counts, DatasetManifest
from contracts.durable import tree_digests
from contracts.identity import now
from contracts.run import Overrides, RunRequest
from contracts.volume import Volume
from trainer.config import Settings
from trainer.preparation import prepare
from trainer.runfolder import Ingredients, RunFolder
from trainer.workshop import open_workshop

ROOT = Path(__file__).parents[1]
EXPECTED = 0.97
ROWS = 640
TEXT = "今天有点累但是没关系先喝口水再慢慢想明天要做的事情你已经很努力了"
# What `llamafactory-cli train recipe.yaml` does; torchaudio is not in the environment.
PLAIN = """
import sys
from trainer.engine import stand_in
stand_in.register()
from llamafactory.launcher import launch
sys.argv = ["llamafactory-cli", "train", sys.argv[1]]
launch()
"""


def main() -> int:
    """Measure, print a table, and return the exit status."""
    parser = argparse.ArgumentParser(description="Overhead of our trainer over LLaMA-Factory")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    python = os.environ.get("TRAINER_ENGINE_PYTHON")
    if not python:
        parser.error("TRAINER_ENGINE_PYTHON names the environment of LLaMA-Factory: make engines")
    with tempfile.TemporaryDirectory(prefix="overhead-") as folder:
        bench = Bench(Path(folder), Path(python).absolute(), options.steps)
        found = bench.rounds(options.rounds)
    return report(found)


class Bench:
    """One run folder, trained again and again in two ways.

    Args:
        folder: to work in.
        python: of the engine.
        steps: of each training; evaluated and saved twice.
    """

    def __init__(self, folder: Path, python: Path, steps: int) -> None:
        settings = Settings(
            data_dir=folder, state_dir=folder / "state", engine_python=python, measure_rows=0
        )
        shop = open_workshop(settings, os.environ)
        self.engine = shop.engine
        self.run = RunFolder(shop.volume, "overhead")
        base = shop.bases.get("starter")
        halves = {"save_steps": steps // 2, "eval_steps": steps // 2}
        overrides = Overrides(max_steps=steps // 2 * 2, **halves)
        request = RunRequest(dataset_id="rows", overrides=overrides, stop_when_flat=False)
        given = Ingredients(request, shop.shelf.get("lora"), base, publish_rows(shop.volume))
        asyncio.run(prepare(shop, self.run, given, None))

    def rounds(self, count: int) -> dict[str, list[float]]:
        """Return steps/s of each round, by way."""
        found: dict[str, list[float]] = {"ours": [], "plain": []}
        for number in range(count):
            order = ["ours", "plain"] if number % 2 == 0 else ["plain", "ours"]
            for way in order:
                found[way].append(self.ours() if way == "ours" else self.plain())
                say(f"round {number + 1} {way:>5}: {found[way][-1]:.3f} steps/s")
        return found

    def ours(self) -> float:
        """Train through our entry and return the steps/s that the run's log says."""
        self.clean()
        self.call("-m", "trainer.engine.run", str(self.run.path))
        end = self.run.events()[-1]
        assert end.kind == "end", "the run did not finish"
        return end.figures["train_steps_per_second"]

    def plain(self) -> float:
        """Train by LLaMA-Factory's own launcher and return the steps/s that it reports."""
        self.clean()
        self.call("-c", PLAIN, str(self.run.path / "recipe.yaml"))
        results = self.run.checkpoints / "all_results.json"
        return float(json.loads(results.read_text())["train_steps_per_second"])

    def call(self, *arguments: str) -> None:
        """Run the engine's Python to its end; show the log's end where it fails."""
        environ = self.engine.variables()
        with self.run.log.open("wb") as log:
            command = [str(self.engine.python), *arguments]
            done = subprocess.run(command, env=environ, stdout=log, stderr=log, check=False)
        if done.returncode:
            sys.exit(self.run.log.read_text(errors="replace")[-2000:])

    def clean(self) -> None:
        """Forget the training before."""
        shutil.rmtree(self.run.checkpoints, ignore_errors=True)
        (self.run.path / "events.jsonl").unlink(missing_ok=True)


def publish_rows(volume: Volume) -> DatasetManifest:
    """Publish rows of the length that our dialogues have."""
    chance = random.Random(7)
    rows = [
        {
            "instruction": "".join(chance.choices(TEXT, k=20)),
            "output": "".join(chance.choices(TEXT, k=40)),
            "system": "".join(chance.choices(TEXT, k=30)),
        }
        for _ in range(ROWS)
    ]
    target = volume.dataset("rows")
    folder = volume.staging(target)
    columns = {"prompt": "instruction", "response": "output", "system": "system"}
    splits = {"train": rows[64:], "eval": rows[:64]}
    for split, part in splits.items():
        (folder / f"{split}.json").write_text(json.dumps(part), encoding="utf-8")
    info = {split: {"file_name": f"{split}.json", "columns": columns} for split in splits}
    (folder / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    manifest = DatasetManifest(
        id="rows",
        created_at=now(),
        source="imported",
        status="complete",
        conditioning=Conditioning.SYSTEM,
        styles=[],
        counts=Counts(accepted=ROWS),
        rows={split: len(part) for split, part in splits.items()},
        files=tree_digests(folder),
    )
    volume.publish(target, manifest)
    return manifest


def say(line: str) -> None:
    """Write a line to standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def report(found: dict[str, list[float]]) -> int:
    """Print the table; return 1 where ours is slower than expected."""
    say(f"\n{'round':>6} {'ours':>9} {'plain':>9} {'ratio':>7}   (steps/s)")
    for number, (ours, plain) in enumerate(zip(found["ours"], found["plain"], strict=True), 1):
        say(f"{number:>6} {ours:>9.3f} {plain:>9.3f} {ours / plain:>7.3f}")
    ours, plain = (statistics.median(found[way]) for way in ("ours", "plain"))
    ratio = ours / plain
    say(f"median {ours:>9.3f} {plain:>9.3f} {ratio:>7.3f}   expected at least {EXPECTED}")
    return 0 if ratio >= EXPECTED else 1


if __name__ == "__main__":
    sys.exit(main())
