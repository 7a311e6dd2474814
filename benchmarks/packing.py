"""Useful tokens/s of our default against the guide's way, same engine, model, rows and adapter.

    make bench-packing
    TRAINER_ENGINE_PYTHON=... python benchmarks/packing.py [--rows FILE] [--base FOLDER] [--gpu]

Ours is the recipe `lora` with what `trainer.engine.fit` makes of it. The guide's way is batch 2,
accumulation 8, cutoff 2048, no packing, else LLaMA-Factory's defaults; as those compute activations
twice, it is also measured without. Each is a process of its own, and their order turns round in
each round. A useful token is one of a row, no padding. Rows: a list of {user, assistant, style}
(`--rows`; by default the one in ../shared/data, where that is), and rows of the scripted teacher.
`--gpu`: a Qwen3 of 1.7 billion random weights in bf16, and MFU (4N for each token: a frozen weight
gets no gradient). Useful tokens for each second of CPU time say what the clock cannot say of a
machine that others use too. The last line ends with the smallest ratio of medians, by the clock;
status 1 where that is below the expected.
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
from typing import Any

import yaml

from contracts.run import Overrides
from datagen.compose import styled_reply
from datagen.corpus import load_styles
from datagen.questions import load_banks
from trainer.child import Engine
from trainer.config import Settings
from trainer.fitting import Fitted, ask_fit, fitted_arguments

ROOT = Path(__file__).parents[1]
STARTER = ROOT / "services/trainer/bases/starter"
DATAGEN = ROOT / "services/datagen"
REAL = ROOT.parent / "shared/data/blog/style_chat_data.json"
RECIPE = ROOT / "services/trainer/recipes/lora.yaml"
EXPECTED = {False: 2.0, True: 3.0}  # on a CPU, on a GPU
SCRIPTED_ROWS = 200  # of each style
GUIDE = {
    "per_device_train_batch_size": 2,
    "gradient_accumulation_steps": 8,
    "cutoff_len": 2048,
    "optim": "adamw_torch",
    "disable_gradient_checkpointing": False,
}
WAYS = ("ours", "guide", "guide, no checkpointing")
COLUMNS = {"prompt": "instruction", "response": "output", "system": "system"}
# Dense bf16 FLOP/s by the vendor's data sheets, without sparsity.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12}
FLOPS_PER_WEIGHT = 4  # LoRA: forward 2, backward through frozen weights 2


def main() -> int:
    """Measure, print a table for each kind of rows, and return the exit status."""
    parser = argparse.ArgumentParser(description="Our batches against the guide's")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=12, help="of each measurement")
    parser.add_argument("--rows", type=Path, default=REAL, help="{user, assistant, style} as JSON")
    parser.add_argument("--base", type=Path, help="folder of the model; else the starter")
    parser.add_argument("--gpu", action="store_true")
    options = parser.parse_args()
    python = os.environ.get("TRAINER_ENGINE_PYTHON")
    if not python:
        parser.error("TRAINER_ENGINE_PYTHON names the environment of LLaMA-Factory: make engines")
    with tempfile.TemporaryDirectory(prefix="packing-") as folder:
        bench = Bench(Path(folder), Path(python).absolute(), options)
        ratios = [bench.compare(name) for name in write_rows(Path(folder), options.rows)]
    say(f"expected at least {EXPECTED[options.gpu]} on each: ratio {min(ratios):.2f}")
    return 0 if min(ratios) >= EXPECTED[options.gpu] else 1


class Bench:
    """Trains one recipe in several ways.

    Args:
        folder: to work in; it holds the rows.
        python: of the engine.
        options: of the command line.
    """

    def __init__(self, folder: Path, python: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        self.options = options
        self.engine = Engine(python, folder / "cache", os.environ)
        self.base = options.base or (self.random_base() if options.gpu else STARTER)

    def random_base(self) -> Path:
        """Write a model of 1.7 billion random weights and return its folder."""
        base = self.folder / "base"
        self.call(str(ROOT / "benchmarks/random_base.py"), str(base), "--shape", "qwen3-1.7b")
        return base

    def compare(self, rows: str) -> float:
        """Measure every way on the named rows, print the table, return ours over the guide's."""
        ours, fitted = self.ours(rows)
        ways = dict(zip(WAYS, (ours, self.guide(rows), self.guide(rows, twice=False)), strict=True))
        say(f"\n{rows}: {fitted.lengths.rows} rows of {fitted.lengths.mean:.0f} tokens on average")
        for sentence in fitted.reasons:
            say(f"  {sentence}")
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for number in range(self.options.rounds):
            for way in WAYS if number % 2 == 0 else reversed(WAYS):
                found[way].append(self.measure(ways[way]))
        return self.report(found)

    def arguments(self, rows: str) -> dict[str, Any]:
        """Return the recipe's arguments for the named rows, before any fit."""
        recipe = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
        header = recipe.pop("tonesmith")
        recipe |= header.get("large_base", {}) if self.options.gpu else {}
        for name in ("eval_steps", "save_steps", "num_train_epochs", "logging_steps"):
            recipe.pop(name, None)
        # The first update is not timed, so that one more is needed.
        return {
            **recipe,
            "do_train": True,
            "model_name_or_path": str(self.base),
            "dataset_dir": str(self.folder),
            "dataset": rows,
            "template": "qwen3_nothink",
            "enable_thinking": False,
            "output_dir": str(self.folder / "out"),
            "overwrite_output_dir": True,
            "overwrite_cache": True,
            "max_steps": self.options.updates + 1,
            "save_strategy": "no",
            "report_to": "none",
            "disable_tqdm": True,
        }

    def ours(self, rows: str) -> tuple[dict[str, Any], Fitted]:
        """Return our arguments, fitted as a run's are, and the fit."""
        given = self.arguments(rows)
        settings = Settings.from_environ({"TRAINER_STATE_DIR": str(self.folder)})
        fitted = asyncio.run(ask_fit(self.engine, given, Overrides(), settings=settings))
        return fitted_arguments(given, fitted), fitted

    def guide(self, rows: str, *, twice: bool = True) -> dict[str, Any]:
        """Return the guide's arguments; `twice`: activations are computed twice, its default."""
        return {**self.arguments(rows), **GUIDE, "disable_gradient_checkpointing": not twice}

    def measure(self, arguments: dict[str, Any]) -> dict[str, float]:
        """Train once and return what `useful_tokens.py` counted."""
        path = self.folder / "recipe.json"
        path.write_text(json.dumps(arguments), encoding="utf-8")
        lines = self.call(str(ROOT / "benchmarks/useful_tokens.py"), str(path))
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        found: dict[str, float] = json.loads(lines[-1])
        each = {clock: found["tokens"] / found[clock] for clock in ("seconds", "cpu_seconds")}
        return {**found, "speed": each["seconds"], "cpu_speed": each["cpu_seconds"]}

    def call(self, *command: str) -> list[str]:
        """Run the engine's Python to its end and return its lines; stop where it fails."""
        done = subprocess.run(
            [str(self.engine.python), *command],
            env=self.engine.variables(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        return done.stdout.strip().splitlines()

    def report(self, found: dict[str, list[dict[str, float]]]) -> float:
        """Print the table of one kind of rows; return ours over the guide's."""
        heads = ("useful tok/s", "per CPU s", "rows/update")
        say(f"  {'way':<24} {''.join(f'{head:>13}' for head in heads)} {'padding':>8} {'MFU':>6}")
        speeds = {}
        for way, rounds in found.items():
            speeds[way] = statistics.median(each["speed"] for each in rounds)
            tokens, padded = sum_of(rounds, "tokens"), sum_of(rounds, "padded")
            rows_each = sum_of(rounds, "rows") / sum_of(rounds, "updates")
            mfu, padding = self.mfu(speeds[way], rounds[0]), 1 - tokens / padded
            busy = statistics.median(each["cpu_speed"] for each in rounds)
            figures = f"{speeds[way]:>13,.0f}{busy:>13,.0f}{rows_each:>13.1f}"
            say(f"  {way:<24} {figures} {padding:>8.0%} {mfu}")
        for way in WAYS[1:]:
            say(f"  ours / {way}: {speeds['ours'] / speeds[way]:.2f}")
        return speeds["ours"] / speeds["guide"]

    def mfu(self, speed: float, one: dict[str, float]) -> str:
        """Return the share of the card's peak that useful tokens took; `-` where it is unknown."""
        name = str(one.get("device", ""))
        peak = next((flops for card, flops in PEAKS.items() if card in name), None)
        if peak is None:
            return f"{'-':>6}"
        return f"{speed * FLOPS_PER_WEIGHT * one['parameters'] / peak:>6.1%}"


def sum_of(rounds: list[dict[str, float]], name: str) -> float:
    """Return the sum of one figure over the rounds."""
    return sum(each[name] for each in rounds)


def write_rows(folder: Path, real: Path) -> list[str]:
    """Write the rows and their description into `folder`; return their names."""
    kinds = {"scripted": scripted_rows()}
    if real.is_file():
        kinds = {"real": real_rows(real), **kinds}
    for name, rows in kinds.items():
        (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    info = {name: {"file_name": f"{name}.json", "columns": COLUMNS} for name in kinds}
    (folder / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    return list(kinds)


def real_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a file of {user, assistant, style}; the style is the system prompt."""
    return [
        {"instruction": row["user"], "output": row["assistant"], "system": row["style"]}
        for row in json.loads(path.read_text(encoding="utf-8"))
    ]


def scripted_rows() -> list[dict[str, str]]:
    """Return rows as the scripted teacher makes them, of every shipped style."""
    banks = load_banks(DATAGEN / "questions")
    chance = random.Random(7)
    rows = []
    for style in load_styles(DATAGEN / "styles"):
        bank = banks[style.language]
        for _ in range(SCRIPTED_ROWS):
            situation = chance.choice(bank.situations)
            question = bank.draw(situation, "train", chance).text
            reply = styled_reply(style, situation.advice, chance)
            rows.append({"instruction": question, "output": reply, "system": style.system_prompt})
    return rows


def say(line: str) -> None:
    """Write a line to standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
