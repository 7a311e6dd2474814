"""A stand-in for the engine's Python: writes the files of a run, obeys, and fails on demand.

It is called as the real one is, `<python> -m trainer.engine.run <folder>` (also below torchrun),
and uses the real code for checkpoints, run files, the lock and the plateau, but trains nothing:
the loss of step N is 8 / (N + 1). `FAILPOINT` names the fault:

    fake.killed@N  dies by SIGKILL when it comes to step N   fake.crash   stops with a traceback
    fake.memory@N  runs out of memory, micro-batch over N     fake.deaf    ignores the cancel file
    fake.full@N    says so itself, instead of a traceback     fake.flat@N  stops, flat, at step N
    fake.diverged  says that the loss is no number            fake.broken_template
    fake.unfit     cannot be fitted                           ckpt.*       as in the real engine
    fake.waits@N   at step N until there is a file `go-on`    fake.slow_fit takes a minute to fit

`TORCH_FAKE_CARD` is the UUID of a card that it says it has, an H200.
"""

import json
import os
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from engine_answers import CARD_BYTES, ROW_BYTES, export, fit, quantise, verify, weights
from torchrun import launch

from trainer.engine import checkpoints
from trainer.engine.devices import COUNTS, MEMORY
from trainer.engine.files import RunFiles, read_json, write_atomic
from trainer.engine.occupancy import BUSY, BusyError, Occupancy, write_identity
from trainer.engine.parent import die_with_parent, guard
from trainer.engine.plateau import Parameters, Plateau
from trainer.engine.speed import Speed

FAULT, _, AT = os.environ.get("FAILPOINT", "").partition("@")
STEP_SECONDS = float(os.environ.get("TORCH_FAKE_STEP_SECONDS", "0.002"))
VERSIONS = {"llamafactory": "0.9.5", "torch": "2.13.0+fake", "transformers": "5.6.0"}
RANK, WORLD = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
CARD = os.environ.get("TORCH_FAKE_CARD")
ROW_TOKENS = 50
GIBIBYTE = 1 << 30
SMALL = {"model_type": "qwen3", "hidden_size": 64, "intermediate_size": 128, "vocab_size": 512}
SMALL |= {"num_hidden_layers": 2, "num_attention_heads": 2}
LAUNCHER = "torch.distributed.run"


class Config:
    """The configuration of the model that it does not train."""

    def to_dict(self) -> dict[str, Any]:
        """Return the sizes."""
        return dict(SMALL)


@dataclass
class FakeRun:
    """One process that trains in a run's folder."""

    files: RunFiles
    plan: dict[str, Any]
    recipe: dict[str, Any]
    known: dict[str, Any] = field(default_factory=dict)
    figures: dict[str, float | str] = field(default_factory=dict)
    logged_at: float | None = None

    def train(self) -> tuple[str, dict[str, Any]]:
        """Take every step; return how the training ended, and the outcome's other fields."""
        found = checkpoints.numbered(self.files.checkpoints)
        begin, end = (found[0][0] if found else 0), self.recipe["max_steps"]
        end = end if end > 0 else 20
        self.files.rewind(begin if found else -1)
        self.files.event("start", begin, {"max_steps": end})
        self.known = {"pid": os.getpid(), "rank": RANK, "world_size": WORLD, "engine": VERSIONS}
        self.known |= {"resumed_from": begin if found else None, "max_steps": end}
        if CARD:
            self.known |= {"gpu_uuid": CARD, "gpu_name": "NVIDIA H200"}
        self.speed = Speed(self.recipe, read_json(self.files.rank))
        self.speed.describe(Config())
        self.plateau = Plateau(Parameters.of(self.plan.get("plateau")))
        for step in range(begin + 1, end + 1):
            self.speed.begin()
            time.sleep(STEP_SECONDS)
            self.speed.end(step)
            self.fail_at(step)
            if state := self.one_step(step, last=step == end):
                return state, {}
            if FAULT == "fake.flat" and step == int(AT) and self.plan.get("plateau"):
                return "done", {"stop": self.stop(step, end)}
        return "done", {"stop": None}

    def fail_at(self, step: int) -> None:
        """Fail as `FAILPOINT` says."""
        batch = self.recipe["per_device_train_batch_size"]
        if FAULT == "fake.killed" and step == int(AT):
            os.kill(os.getpid(), signal.SIGKILL)
        while FAULT == "fake.waits" and step == int(AT) and not self.may_go_on():
            time.sleep(0.01)
        if FAULT == "fake.crash":
            raise RuntimeError("the engine crashed")
        if FAULT == "fake.memory" and step > 5 and batch > int(AT or 0):
            raise MemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    def may_go_on(self) -> bool:
        """Return whether somebody lets it, or wants it to stop."""
        return (self.files.folder / "go-on").exists() or self.files.cancel.exists()

    def one_step(self, step: int, *, last: bool) -> str:
        """Take one step; return the state of the run if it ends it."""
        loss = 8 / (step + 1)
        self.figures |= {"loss": loss, "learning_rate": 1e-3, "grad_norm": 1.0, "epoch": 0.1}
        if step % self.recipe["logging_steps"] == 0:
            self.plateau.train(step, loss)
            self.files.event("log", step, dict(self.figures))
            self.speed.pace.waited(STEP_SECONDS / 10)
            self.figures |= self.speed.logged(2.0 * ROW_TOKENS, 2, STEP_SECONDS)
            self.logged_at = time.time()
        if CARD:
            self.figures |= dict.fromkeys(MEMORY, float(GIBIBYTE))
            self.speed.totals.show(dict.fromkeys(COUNTS, 0.0))
        if CARD_BYTES:
            batch = self.recipe["per_device_train_batch_size"]
            self.figures["memory_peak_reserved_bytes"] = batch * ROW_BYTES + 1
        cancelled = self.files.cancel.exists() and FAULT != "fake.deaf"
        if step % self.recipe["save_steps"] == 0 or last or cancelled:
            self.save(step, 9 / (step + 1))
        self.figures |= self.plateau.figures() | {"tokens": 100.0 * step}
        self.figures |= self.speed.pace.figures(self.known["max_steps"])
        if FAULT == "fake.diverged":
            self.figures["grad_norm"] = "nan"
            self.speed.totals.add("nonfinite_steps", 1)
        self.say("train", step)
        if FAULT == "fake.diverged":
            return "failed"
        return "cancelled" if cancelled else ""

    def say(self, stage: str, step: int) -> None:
        """Write the rank file."""
        document = {**self.known, **self.speed.document(), "stage": stage, "step": step}
        document |= {"at": time.time(), "logged_at": self.logged_at, "figures": self.figures}
        write_atomic(self.files.rank, document, durable=False)

    def save(self, step: int, loss: float) -> None:
        """Measure; write, seal and rotate a checkpoint."""
        self.figures["eval_loss"] = loss
        self.plateau.evaluate(step, loss)
        self.files.event("eval", step, {"eval_loss": loss})
        path = self.files.checkpoints / f"checkpoint-{step}"
        if path.exists():
            return
        path.mkdir(parents=True)
        (path / "adapter_model.safetensors").write_bytes(weights(step))
        if FAULT == "ckpt.after_model":
            os.kill(os.getpid(), signal.SIGKILL)
        state = {"global_step": step, "max_steps": self.known["max_steps"]}
        (path / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
        checkpoints.seal(path, step, loss)
        checkpoints.rotate(self.files.checkpoints, self.plan["keep_checkpoints"])
        self.files.event("save", step, {})

    def stop(self, step: int, end: int) -> dict[str, Any]:
        """Save, and say why the run ends here."""
        self.save(step, 9 / (step + 1))
        found = {"reason": "flat", "step": step, "best_step": step, "saved_steps": end - step}
        return found | {"detail": "the train loss did not fall"}

    def finish(self, state: str, **result: Any) -> None:
        """Measure and export what came out, and write how the run ended."""
        step = int(read_json(self.files.rank)["step"])
        if FAULT == "fake.diverged":
            message = f"training diverged: loss at step {step}"
            self.files.finished("failed", "non_finite_loss", message)
            return
        if state != "done":
            self.files.finished(state)
            return
        best = checkpoints.best(checkpoints.verified(self.files.checkpoints))
        measured = {"eval_loss": best.eval_loss or 0.0, "bleu_4": 12.5}
        if self.plan.get("publish", True):
            self.say("export", step)
            write_atomic(self.files.export, export(self.files, self.plan["export"]))
        self.files.event("end", step, {})
        metrics = measured if self.plan.get("measure") else {}
        self.files.finished("done", best_step=best.step, metrics=metrics, **result)


def run(folder: Path) -> int:
    """Train and export the run in `folder`, as rank 0; as another rank, be there until it ends."""
    files = RunFiles(folder, RANK)
    plan = read_json(folder / "plan.json")
    guard(folder, plan.get("parent_grace_seconds", 0))
    if RANK:
        return follow_rank_zero(files)
    try:
        occupancy = Occupancy(folder)
    except BusyError as error:
        sys.stderr.write(f"{error}\n")
        return BUSY
    write_identity(files.engine)
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    checkpoints.sweep(files.checkpoints)
    checkpoints.quarantine(files.checkpoints)
    if FAULT == "fake.full" and recipe["per_device_train_batch_size"] > int(AT):
        files.finished("failed", "out_of_memory", "out of memory at step 1: 2.00 GiB are missing")
        return 0
    fake = FakeRun(files, plan, recipe)
    state, result = fake.train()
    fake.finish(state, **result)
    occupancy.release()
    return 0


def follow_rank_zero(files: RunFiles) -> int:
    """Write a rank file and wait for the outcome."""
    known = {"pid": os.getpid(), "rank": RANK, "world_size": WORLD, "stage": "train", "step": 0}
    write_atomic(files.rank, known | {"figures": {}}, durable=False)
    while not files.outcome.exists():
        time.sleep(0.01)
    return 0


def main(arguments: list[str]) -> int:
    """Behave as `python -m <module> ...`."""
    module = arguments[1]
    if module == LAUNCHER:
        return launch([sys.executable, __file__], arguments[2:])
    if module == "trainer.engine.run":
        return run(Path(arguments[2]))
    die_with_parent()
    answers = {"trainer.engine.fit": fit, "trainer.engine.quantise": quantise}
    answer = answers.get(module, verify)
    sys.stdout.write(json.dumps(answer(json.load(sys.stdin))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
