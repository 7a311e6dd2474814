"""Series of a run: from its record, what its ranks say, and its checkpoints."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from contracts.errors import ErrorBody
from contracts.identity import now
from contracts.job import JobState
from contracts.run import RunRecord, RunRequest, Stop
from contracts.volume import Volume
from trainer.engine import checkpoints
from trainer.progress_metrics import Seen, endings, progress
from trainer.progress_metrics import checkpoints as checkpoint_series
from trainer.runfolder import RunFolder


def seen(folder: Path, ranks: list[dict[str, Any]], **record: Any) -> Seen:
    """Return a run with these rank files."""
    run = RunFolder(Volume(folder), "r-1")
    run.path.mkdir(parents=True, exist_ok=True)
    for number, rank in enumerate(ranks):
        (run.path / f"rank-{number}.json").write_text(json.dumps({"rank": number} | rank))
    described = {"id": "r-1", "state": JobState.RUNNING, "created_at": now()} | record
    request = RunRequest(dataset_id="d-1")
    return Seen(RunRecord.model_validate(described | {"request": request}), run, run.ranks())


def values(families: "list[Metric]") -> dict[str, dict[tuple[str, ...], float]]:
    """Return the samples of families by name and by the values of their labels but the run's."""

    class Given(Collector):
        def collect(self) -> "list[Metric]":
            return families

    registry = CollectorRegistry()
    registry.register(Given())
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in registry.collect():
        for sample in family.samples:
            labels = tuple(value for name, value in sample.labels.items() if name != "run_id")
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def test_every_figure_of_the_plateau_is_a_series(tmp_path: Path) -> None:
    """Under the names of the handbook; counters end in _total."""
    figures = {
        "loss": 2.0,
        "loss_smoothed": 2.1,
        "best_eval_loss": 1.9,
        "evals_since_best": 2,
        "loss_improvement_ratio": 0.01,
        "loss_noise_ratio": 0.05,
        "plateau_steps": 30,
        "plateau_patience_steps": 60,
    }
    totals = {"tokens": 1234, "nonfinite_steps": 0, "steps": 12, "samples": 96, "flops": 7e12}
    rank = {"figures": figures, "totals": totals}
    found = values(list(progress([seen(tmp_path, [rank], resumed_from=[4, 8])])))
    assert found["train_loss_smoothed"] == {(): 2.1}
    assert found["train_best_eval_loss"] == {(): 1.9}
    assert found["train_evals_since_best"] == {(): 2}
    assert found["train_loss_improvement_ratio"] == {(): 0.01}
    assert found["train_loss_noise_ratio"] == {(): 0.05}
    assert found["train_plateau_steps"] == {(): 30}
    assert found["train_plateau_patience_steps"] == {(): 60}
    assert found["train_tokens_total"] == {(): 1234}
    assert found["train_nonfinite_steps_total"] == {(): 0}
    assert found["train_steps_total"] == {(): 12}
    assert found["train_samples_total"] == {(): 96}
    assert found["train_flops_total"] == {(): 7e12}
    assert found["train_restarts_total"] == {(): 2}


def test_figure_that_is_not_known_has_no_series(tmp_path: Path) -> None:
    """Absent, never 0 and never NaN: an alert would take either for a fact."""
    found = values(list(progress([seen(tmp_path, [{"figures": {"loss": None, "x": "y"}}])])))
    assert set(found) == {"train_restarts_total"}
    assert set(values(list(progress([seen(tmp_path / "none", [])])))) == {"train_restarts_total"}


@pytest.mark.parametrize("word", ["nan", "inf"])
def test_gradient_that_is_no_number_shows_as_nan(tmp_path: Path, word: str) -> None:
    """The one figure that keeps it, since an alert waits for it; the others keep their last."""
    figures = {"grad_norm": word, "loss": "nan", "learning_rate": 0.1}
    found = values(list(progress([seen(tmp_path, [{"figures": figures}])])))
    assert math.isnan(found["train_grad_norm"][()])
    assert "train_loss" not in found
    assert found["train_learning_rate"] == {(): 0.1}


def test_memory_is_told_for_each_rank(tmp_path: Path) -> None:
    """Where there is a card."""
    ranks = [
        {"figures": {"memory_peak_reserved_bytes": 80 + rank, "memory_peak_allocated_bytes": 70}}
        for rank in range(2)
    ]
    found = values(list(progress([seen(tmp_path, ranks)])))["train_cuda_memory_bytes"]
    assert found == {
        ("0", "peak_reserved"): 80,
        ("1", "peak_reserved"): 81,
        ("0", "peak_allocated"): 70,
        ("1", "peak_allocated"): 70,
    }


def test_newest_sealed_checkpoint_has_step_moment_and_size(tmp_path: Path) -> None:
    """One that is being written counts for nothing."""
    run = seen(tmp_path, [])
    assert values(list(checkpoint_series([run]))) == {"train_last_checkpoint_step": {(): 0}}
    path = run.folder.checkpoints / "checkpoint-8"
    path.mkdir(parents=True)
    (path / "weights").write_bytes(b"12345")
    checkpoints.seal(path, 8, 0.5)
    (run.folder.checkpoints / "checkpoint-9").mkdir()
    found = values(list(checkpoint_series([seen(tmp_path, [])])))
    assert found["train_last_checkpoint_step"] == {(): 8}
    assert found["train_checkpoint_bytes"] == {(): 5}
    moment = (path / checkpoints.MANIFEST).stat().st_mtime
    assert found["train_last_checkpoint_timestamp_seconds"] == {(): moment}


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"state": "running"}, ""),
        ({"state": "done"}, "finished"),
        ({"state": "done", "stop": Stop(reason="flat", step=3, best_step=3)}, "flat"),
        ({"state": "cancelled"}, "cancelled"),
        ({"state": "failed"}, "failed"),
        (
            {"state": "failed", "error": ErrorBody(code="out_of_memory", message="m")},
            "out_of_memory",
        ),
        ({"state": "failed", "error": ErrorBody(code="gate_refused", message="m")}, "failed"),
    ],
)
def test_reason_of_the_end_is_one_of_a_closed_list(
    tmp_path: Path, record: dict[str, Any], reason: str
) -> None:
    """It is a label: free text would make a series for each failure."""
    found = values([endings([seen(tmp_path, [], **record)])])
    assert found.get("train_stop", {}) == ({(reason,): 1} if reason else {})
