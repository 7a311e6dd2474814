"""Pacing: a run is measured often enough to be judged, and is not judged too soon."""

from pathlib import Path
from typing import Any

import pytest

from contracts.dataset import DatasetManifest
from contracts.run import Overrides, RunRequest
from contracts.volume import Volume
from fakes.training import DATASET, publish_rows
from repository import ROOT
from trainer.arguments import Places, engine_arguments
from trainer.pacing import paced, planned_steps, plateau_plan
from trainer.presets import CHATML
from trainer.recipe import Shelf

SHIPPED = ROOT / "services/trainer/recipes"
PLACES = Places(base=Path("/bases/starter"), dataset=Path("/d/datasets/x"), run=Path("/d/runs/r"))


@pytest.fixture
def dataset(tmp_path: Path) -> DatasetManifest:
    """A dataset with rows held out."""
    return publish_rows(Volume(tmp_path))


def arguments(dataset: DatasetManifest, **overrides: float) -> dict[str, Any]:
    """Return the engine's arguments of a run of the shipped `lora`."""
    request = RunRequest(dataset_id=DATASET, overrides=Overrides.model_validate(overrides))
    return engine_arguments(Shelf(SHIPPED).get("lora"), request, dataset, PLACES, CHATML)


# Rows and rows of an update: a handful, the demo, a long run.
RUNS = [(12, 4.0), (1140, 16.0), (1140, 37.5), (100_000, 16.0)]


@pytest.mark.parametrize(("rows", "per_update"), RUNS)
@pytest.mark.parametrize("epochs", [1, 3, 10])
def test_run_is_measured_often_enough_to_be_judged(
    dataset: DatasetManifest, rows: int, per_update: float, epochs: int
) -> None:
    """At least eight evaluations, each with a checkpoint, and no window of loss across one."""
    asked = {"num_train_epochs": epochs}
    made = paced(arguments(dataset, **asked), per_update, rows, Overrides.model_validate(asked))
    steps = planned_steps(made, per_update, rows)
    assert steps // made["eval_steps"] >= min(8, steps)
    assert made["eval_steps"] <= 100
    assert made["save_steps"] == made["eval_steps"]
    assert made["save_steps"] % made["logging_steps"] == 0


def test_handful_of_rows_is_not_measured_all_the_time(dataset: DatasetManifest) -> None:
    """An epoch of ten steps would be halved to five: some twenty evaluations of a run do."""
    made = paced(arguments(dataset, max_steps=400), 16.0, 150, Overrides(max_steps=400))
    assert (made["logging_steps"], made["eval_steps"]) == (6, 18)


@pytest.mark.parametrize(
    ("overrides", "measured", "saved"),
    [
        ({"save_steps": 40}, 40, 40),
        ({"eval_steps": 30}, 30, 30),
        ({"eval_steps": 30, "save_steps": 50}, 30, 50),
        ({"save_steps": 7}, 21, 7),
    ],
)
def test_pace_that_was_asked_for_stays(
    dataset: DatasetManifest, overrides: dict[str, int], measured: int, saved: int
) -> None:
    """A request's own numbers are not bettered; the other one follows them."""
    asked = Overrides.model_validate(overrides)
    made = paced(arguments(dataset, **overrides), 16.0, 1140, asked)
    assert (made["eval_steps"], made["save_steps"]) == (measured, saved)
    assert saved % made["logging_steps"] == 0


def test_run_without_held_out_rows_saves_and_does_not_measure(dataset: DatasetManifest) -> None:
    """Its plateau rests on the training loss alone."""
    bare = dataset.model_copy(update={"rows": {"train": 1140}})
    made = paced(arguments(bare), 16.0, 1140, Overrides())
    assert (made["eval_steps"], made["save_steps"]) == (None, 21)
    plan = plateau_plan(made, 16.0, 1140)
    assert plan is not None
    assert plan["eval_patience"] == 0


def test_plateau_of_the_demo_is_judged_by_three_evaluations(dataset: DatasetManifest) -> None:
    """Ten epochs of 72 steps: measured twice an epoch, first stopped after the warm-up and both."""
    asked = {"num_train_epochs": 10}
    made = paced(arguments(dataset, **asked), 16.0, 1140, Overrides.model_validate(asked))
    assert plateau_plan(made, 16.0, 1140) == {
        "min_delta": 0.005,
        "half_life": 36,
        "window": 108,
        "patience": 108,
        "min_steps": 118,
        "eval_patience": 3,
    }


@pytest.mark.parametrize(("rows", "per_update"), RUNS)
@pytest.mark.parametrize("epochs", [1, 3, 10])
def test_plateau_leaves_room_to_stop_or_is_off(
    dataset: DatasetManifest, rows: int, per_update: float, epochs: int
) -> None:
    """A run that is too short to be judged is not judged; no other stops in its warm-up."""
    asked = {"num_train_epochs": epochs}
    made = paced(arguments(dataset, **asked), per_update, rows, Overrides.model_validate(asked))
    plan = plateau_plan(made, per_update, rows)
    steps = planned_steps(made, per_update, rows)
    if plan is None:
        assert steps < 100
        return
    assert made["warmup_steps"] < plan["min_steps"] < steps
    assert plan["half_life"] <= plan["patience"] <= steps // 2


def test_fine_pace_that_was_asked_for_does_not_make_the_plateau_hasty(
    dataset: DatasetManifest,
) -> None:
    """Measuring at every step does not mean that three steps are patience."""
    asked = {"eval_steps": 1, "max_steps": 400}
    made = paced(arguments(dataset, **asked), 16.0, 1140, Overrides.model_validate(asked))
    plan = plateau_plan(made, 16.0, 1140)
    assert plan is not None
    assert (plan["half_life"], plan["patience"], plan["eval_patience"]) == (20, 60, 60)


def test_one_step_is_a_whole_run(dataset: DatasetManifest) -> None:
    """The smallest run is measured and saved once, and has no plateau."""
    made = paced(arguments(dataset, max_steps=1), 16.0, 4, Overrides(max_steps=1))
    assert (made["logging_steps"], made["eval_steps"], made["save_steps"]) == (1, 1, 1)
    assert plateau_plan(made, 16.0, 4) is None
