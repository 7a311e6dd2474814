"""What the plateau stop saves: ten fixed epochs against the same run that may stop early.

    TRAINER_ENGINE_PYTHON=... python benchmarks/plateau.py [--keep FOLDER]

The scripted teacher writes the demo's rows (150 of each of the twelve styles). Recipe `lora` trains
the shipped starter twice, both planned for ten epochs (so with the same learning rates), once with
`stop_when_flat`. The last checkpoint of the fixed run, which a plain ten epochs would give, and the
best one of each answer the same held-out questions greedily; datagen's own classifier, trained on
the training rows, names the style of each answer. Ends with status 1 where less than 30 % of the
steps are saved, or the stopped run is more than a point of style accuracy below the fixed one's
last checkpoint.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

EPOCHS = 10
PER_STYLE = 150  # rows, as the demo makes them
QUESTIONS = 50  # of each style: one answer of 600 is 0.17 points
REPLY_TOKENS = 120
BATCH = 48
SAVED = 0.30
LOST = 0.01
ROOT = Path(__file__).parents[1]
SECONDS = 1.0


def main() -> int:
    """Measure, print a table, and return the exit status."""
    parser = argparse.ArgumentParser(description="Steps saved by the plateau stop")
    parser.add_argument("--answer", type=Path, metavar="MODEL", help=argparse.SUPPRESS)
    parser.add_argument("--adapter", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work there and leave it")
    options = parser.parse_args()
    if options.answer:  # in the engine's environment
        json.dump(answers(options.answer, options.adapter, json.load(sys.stdin)), sys.stdout)
        return 0
    python = os.environ.get("TRAINER_ENGINE_PYTHON")
    if not python:
        parser.error("TRAINER_ENGINE_PYTHON names the environment of LLaMA-Factory: make engines")
    with tempfile.TemporaryDirectory(prefix="plateau-") as folder:
        return measure(options.keep or Path(folder), Path(python).absolute())


def answers(model: Path, adapter: Path | None, asked: list[list[dict[str, str]]]) -> list[str]:
    """Return the greedy answers of a model, with an adapter on it, to conversations."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    tokenizer.padding_side = "left"
    loaded = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    if adapter:
        loaded = PeftModel.from_pretrained(loaded, adapter).eval()
    found: list[str] = []
    for start in range(0, len(asked), BATCH):
        texts = [
            tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            for messages in asked[start : start + BATCH]
        ]
        inputs = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
        inputs.pop("token_type_ids", None)
        with torch.inference_mode():
            made = loaded.generate(**inputs, max_new_tokens=REPLY_TOKENS, do_sample=False)
        fresh = made[:, inputs["input_ids"].shape[1] :]
        found += tokenizer.batch_decode(fresh, skip_special_tokens=True)
    return found


def measure(folder: Path, python: Path) -> int:
    """Train both ways in `folder`; print the table and return the exit status."""
    from fastapi.testclient import TestClient

    from trainer.app import create_app
    from trainer.config import Settings

    dataset = generate(folder)
    settings = Settings(
        data_dir=folder / "data",
        state_dir=folder / "trainer",
        models_dir=ROOT / "services/trainer/bases",
        engine_python=python,
        reserve_bytes=0,
    )
    with TestClient(create_app(settings, os.environ)) as client:
        runs = {
            name: trained(client, dataset, stops=stops)
            for name, stops in (("fixed", False), ("stopped", True))
        }
    judge = Judge(folder, dataset, python)
    for run in runs.values():
        run["eval_losses"] = judge.eval_losses(run["id"])
        run["style_accuracy"] = judge.accuracy(run["id"], run["best_step"])
    last = {**runs["fixed"], "best_step": runs["fixed"]["max_steps"]}
    last["style_accuracy"] = judge.accuracy(last["id"], last["best_step"])
    return report(last, runs["fixed"], runs["stopped"])


def generate(folder: Path) -> str:
    """Return the id of the demo's dataset, generated here unless it is there already."""
    from fastapi.testclient import TestClient

    from datagen.app import create_app
    from datagen.config import Settings

    settings = Settings(data_dir=folder / "data", state_dir=folder / "datagen")
    with TestClient(create_app(settings)) as client:
        known = client.get("/datasets").json()
        if known:
            return str(known[0]["id"])
        body = {"name": "demo", "per_style": PER_STYLE, "multi_turn_ratio": 0.2}
        found = client.post("/datasets", json=body).json()["id"]
        wait(client, f"/datasets/jobs/{found}")
    return str(found)


def trained(client: Any, dataset: str, *, stops: bool) -> dict[str, Any]:
    """Train one way and return the run's record."""
    body = {
        "dataset_id": dataset,
        "recipe": "lora",
        "overrides": {"num_train_epochs": EPOCHS},
        "stop_when_flat": stops,
    }
    began = time.monotonic()
    run = client.post("/runs", json=body).json()["id"]
    wait(client, f"/runs/jobs/{run}")
    record: dict[str, Any] = client.get(f"/runs/{run}").json()
    say(f"{run}: {record['step']}/{record['max_steps']} steps in {time.monotonic() - began:.0f} s")
    say(f"  stop: {record['stop']}")
    return record


def wait(client: Any, path: str) -> None:
    """Wait for a job; exit where it fails."""
    while (job := client.get(path).json())["state"] not in ("done", "failed", "cancelled"):
        time.sleep(SECONDS)
    if job["state"] != "done":
        sys.exit(f"{path}: {job['state']}: {job['error']}")


class Judge:
    """Asks models the held-out questions and has datagen's classifier name the styles.

    Args:
        folder: the benchmark's own.
        dataset: whose questions and training rows are taken.
        python: of the engine.
    """

    def __init__(self, folder: Path, dataset: str, python: Path) -> None:
        from contracts.volume import Volume
        from datagen.evaluations import trained as classifier_of
        from datagen.heldout import load_dataset, plan
        from datagen.questions import load_banks

        self.volume = Volume(folder / "data")
        self.python = python
        banks = load_banks(ROOT / "services/datagen/questions")
        rows = load_dataset(self.volume, dataset)
        self.asked = plan(rows, banks, QUESTIONS, seed=1)
        self.classifier = classifier_of(rows, banks, 1)

    def eval_losses(self, run: str) -> dict[int, float]:
        """Return the held-out losses of a run by step."""
        from trainer.runfolder import RunFolder

        events = RunFolder(self.volume, run).events()
        found = [(event.step, event.figures.get("eval_loss")) for event in events]
        return {step: loss for step, loss in found if loss is not None}

    def accuracy(self, run: str, step: int) -> float:
        """Return the share of a checkpoint's answers in the style that was asked for."""
        asked = [
            [{"role": each.role, "content": each.content} for each in one.messages]
            for one in self.asked
        ]
        adapter = self.volume.run(run) / "checkpoints" / f"checkpoint-{step}"
        base = ROOT / "services/trainer/bases/starter"
        command = [str(self.python), __file__, "--answer", str(base), "--adapter", str(adapter)]
        done = subprocess.run(
            command, input=json.dumps(asked), capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        judged = self.classifier.judge(json.loads(done.stdout))
        hits = [each.style == one.style for each, one in zip(judged, self.asked, strict=True)]
        return sum(hits) / len(hits)


def say(line: str) -> None:
    """Write a line to standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def report(last: dict[str, Any], fixed: dict[str, Any], stopped: dict[str, Any]) -> int:
    """Print the table; return 1 where the stop saves too little or costs too much."""
    say(f"\n{'':>12} {'steps':>6} {'taken':>6} {'eval loss':>10} {'style':>7}")
    rows = {"fixed, last": last, "fixed, best": fixed, "stopped": stopped}
    for name, run in rows.items():
        taken = run["best_step"]
        loss = run["eval_losses"].get(taken, float("nan"))
        say(f"{name:>12} {run['step']:>6} {taken:>6} {loss:>10.4f} {run['style_accuracy']:>7.1%}")
    saved = 1 - stopped["step"] / fixed["step"]
    lost = last["style_accuracy"] - stopped["style_accuracy"]
    say(f"steps saved {saved:.1%} (asked {SAVED:.0%}), style accuracy lost {lost:.2%} (at most 1%)")
    return 0 if saved >= SAVED and lost <= LOST else 1


if __name__ == "__main__":
    sys.exit(main())
