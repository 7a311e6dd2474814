"""A run's folder for the real engine, written by hand: no service, any plan, any arguments."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fakes.training import COLUMNS, STYLE
from repository import ROOT

TINY_BASE = ROOT / "tests/e2e/tiny_base.py"
RUN = ("-m", "trainer.engine.run")


def engine_python() -> Path:
    """Return the interpreter of LLaMA-Factory's environment."""
    found = os.environ.get("TRAINER_ENGINE_PYTHON")
    assert found, "TRAINER_ENGINE_PYTHON names the environment of LLaMA-Factory (make engines)"
    return Path(found).absolute()


def make_tiny_base(folder: Path, *options: str) -> Path:
    """Write the tiny base into `folder` and return it."""
    command = [str(engine_python()), str(TINY_BASE), str(folder), *options]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def seen_by_engine(script: str, arguments: Mapping[str, Any], cache: Path) -> dict[str, Any]:
    """Return what a script beside this module, in LLaMA-Factory's environment, prints of them."""
    done = subprocess.run(
        [str(engine_python()), str(ROOT / "tests/e2e" / script)],
        input=json.dumps(arguments),
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "services/trainer/src"),
            "HF_HOME": str(cache),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def some_rows(count: int) -> list[dict[str, Any]]:
    """Return rows in which there is something to learn."""
    return [
        {
            "instruction": f"day {number}: tired",
            "input": "",
            "output": f"hmph, {number % 7} hours of sleep then. not that I care.",
            "system": STYLE["system_prompt"],
            "history": [],
        }
        for number in range(count)
    ]


class EngineFolder:
    """One run of the real engine.

    Args:
        folder: of the run; made here.
        base: the model to train.
        rows: training rows; the last eight are held out.
        plan: lies over the plan.
        arguments: lie over LLaMA-Factory's arguments.
    """

    def __init__(
        self,
        folder: Path,
        base: Path,
        *,
        rows: list[dict[str, Any]] | None = None,
        plan: dict[str, Any] | None = None,
        **arguments: Any,
    ) -> None:
        self.path = folder
        self.checkpoints = folder / "checkpoints"
        folder.mkdir(parents=True)
        rows = some_rows(48) if rows is None else rows
        splits = {"train": rows[:-8], "eval": rows[-8:]}
        for split, part in splits.items():
            (folder / f"{split}.json").write_text(json.dumps(part), encoding="utf-8")
        info = {split: {"file_name": f"{split}.json", "columns": COLUMNS} for split in splits}
        (folder / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
        self.base = base
        self.write_recipe(**arguments)
        self.write_plan(**(plan or {}))

    def write_recipe(self, **arguments: Any) -> None:
        """Write LLaMA-Factory's arguments."""
        document = RECIPE | {
            "model_name_or_path": str(self.base),
            "dataset_dir": str(self.path),
            "output_dir": str(self.checkpoints),
            **arguments,
        }
        (self.path / "recipe.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")

    def write_plan(self, **changes: Any) -> None:
        """Write our plan; without `publish` nothing is exported."""
        export = {
            "folder": str(self.path / "model"),
            "base": str(self.base),
            "template": RECIPE["template"],
            "chat_template": str(self.base / "chat_template.jinja"),
            "enable_thinking": False,
            "reply_tokens": 4,
            "golden": [],
        }
        plan = {"keep_checkpoints": 2, "publish": False, "export": export, **changes}
        (self.path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment of an engine."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "services/trainer/src"),
            "HF_HOME": str(self.path / "cache"),
            "HF_HUB_OFFLINE": "1",
            "OMP_WAIT_POLICY": "PASSIVE",
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
            **more,
        }

    def start(
        self, *launcher: str, log: str = "engine.log", **more: str
    ) -> subprocess.Popen[bytes]:
        """Start the engine, through `launcher` if one is given; the log is `log`."""
        command = [str(engine_python()), *launcher, *RUN, str(self.path)]
        with (self.path / log).open("ab") as output:
            return subprocess.Popen(
                command,
                env=self.environ(**more),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def run(self, *launcher: str, **more: str) -> int:
        """Run the engine to its end; return the exit status."""
        return self.start(*launcher, **more).wait()

    def read(self, name: str) -> Any:
        """Return one of the run's JSON documents."""
        return json.loads((self.path / name).read_text(encoding="utf-8"))

    def outcome(self) -> Any:
        """Return how the engine ended; the end of its log where it crashed."""
        if not (self.path / "outcome.json").exists():
            raise AssertionError((self.path / "engine.log").read_text(errors="replace")[-3000:])
        return self.read("outcome.json")

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """Return the events, of one kind if it is named."""
        lines = (self.path / "events.jsonl").read_text(encoding="utf-8").splitlines()
        return [event for event in map(json.loads, lines) if kind in ("", event["kind"])]

    def losses(self) -> list[float]:
        """Return every logged train loss."""
        return [event["figures"]["loss"] for event in self.events("log")]


RECIPE: dict[str, Any] = {
    "stage": "sft",
    "finetuning_type": "lora",
    "lora_rank": 4,
    "lora_alpha": 8,
    "lora_target": "all",
    "per_device_train_batch_size": 4,
    "per_device_eval_batch_size": 8,
    "gradient_accumulation_steps": 1,
    "disable_gradient_checkpointing": True,
    "optim": "adamw_torch",
    "learning_rate": 5.0e-3,
    "lr_scheduler_type": "constant",
    "max_steps": 8,
    "cutoff_len": 128,
    "bf16": False,
    "seed": 7,
    "logging_steps": 2,
    "eval_strategy": "steps",
    "eval_steps": 4,
    "save_steps": 4,
    "trust_remote_code": False,
    "dataset": "train",
    "eval_dataset": "eval",
    "template": "qwen3_nothink",
    "enable_thinking": False,
    "overwrite_cache": True,
    "do_train": True,
    "overwrite_output_dir": True,
    "save_strategy": "steps",
    "save_total_limit": None,
    "save_only_model": False,
    "logging_strategy": "steps",
    "logging_nan_inf_filter": False,
    "report_to": "none",
    "plot_loss": False,
    "disable_tqdm": True,
    "dataloader_num_workers": 0,
}
