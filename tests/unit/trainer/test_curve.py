"""The learning curve: a power law is found again, and nothing is said where there is none."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contracts.dataset import DatasetManifest
from contracts.job import JobState
from contracts.run import Overrides, RunRecord, RunRequest
from contracts.volume import Volume
from fakes.training import DATASET, publish_rows
from trainer.curve import FRACTIONS, fractions, rows_verdict

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
ROWS = 1000


@pytest.fixture
def dataset(tmp_path: Path) -> DatasetManifest:
    """A dataset that says it has a thousand rows."""
    return publish_rows(Volume(tmp_path)).model_copy(update={"rows": {"train": ROWS, "eval": 50}})


def run(fraction: float, loss: float | None, *, at: int = 0, **changes: Any) -> RunRecord:
    """Return the record of a finished run on a part of the rows."""
    overrides = changes.pop("overrides", {})
    asked = {"dataset_id": DATASET, "data_fraction": fraction, "publish": False}
    asked |= {"overrides": {"num_train_epochs": 3 / fraction, **overrides}}
    state = changes.pop("state", JobState.DONE)
    return RunRecord(
        id=f"run-{fraction}-{at}",
        state=state,
        request=RunRequest.model_validate(asked | changes),
        created_at=BEGAN + timedelta(hours=at),
        metrics={} if loss is None else {"eval_loss": loss},
    )


def curve(*losses: float) -> list[RunRecord]:
    """Return the three runs of a curve."""
    return [run(part, loss) for part, loss in zip(FRACTIONS, losses, strict=True)]


def law(floor: float, above: float, exponent: float) -> list[float]:
    """Return the losses at 250, 500 and 1000 rows; `above`: over the floor at the last."""
    return [floor + above * part**-exponent for part in FRACTIONS]


@pytest.mark.parametrize("exponent", [0.1, 0.35, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("above", [0.16, 0.3])
def test_rows_that_are_needed_follow_from_a_known_law(
    dataset: DatasetManifest, exponent: float, above: float
) -> None:
    """The law that made the losses is found again: floor, exponent and so the rows."""
    floor = 1.5
    expected = ROWS * (above / (0.01 * floor)) ** (1 / exponent)
    found = rows_verdict(curve(*law(floor, above, exponent)), dataset)
    assert found.verdict == "more"
    if expected > 100 * ROWS:
        assert found.rows_needed is None
        assert "100 times" in found.why
        return
    assert found.rows_needed == pytest.approx(expected, rel=0.02)
    assert f"rows^-{exponent:.2f}" in found.why


def test_curve_that_has_come_down_is_enough(dataset: DatasetManifest) -> None:
    """Within one per cent of the floor there is little left to win."""
    found = rows_verdict(curve(*law(1.5, 0.01, 2.0)), dataset)
    assert found.verdict == "enough"
    assert found.rows_needed is not None
    assert 500 < found.rows_needed <= ROWS
    assert [point.rows for point in found.points] == [250, 500, 1000]


@pytest.mark.parametrize(
    ("losses", "verdict", "needed", "said"),
    [
        ((1.5, 1.504, 1.501), "enough", 250, "within 1 %"),
        ((2.0, 1.5, 1.502), "enough", 500, "changed nothing"),
        ((2.0, 1.5, 1.6), "unknown", None, "rises"),
        ((1.5, 2.0, 1.4), "unknown", None, "rises"),
        ((2.0, 1.8, 1.5), "more", None, "as fast"),
        ((2.0, 1.8, 1.6), "more", None, "as fast"),
    ],
)
def test_curve_that_is_no_law_is_judged_by_what_it_shows(
    dataset: DatasetManifest,
    losses: tuple[float, float, float],
    verdict: str,
    needed: int | None,
    said: str,
) -> None:
    """Flat is enough, rising says nothing, and a straight line has no end in sight."""
    found = rows_verdict(curve(*losses), dataset)
    assert (found.verdict, found.rows_needed) == (verdict, needed)
    assert said in found.why


@pytest.mark.parametrize(
    "runs",
    [
        [],
        curve(2.0, 1.6, 1.4)[1:],
        [*curve(2.0, 1.6, 1.4)[1:], run(0.25, 2.0, state=JobState.FAILED)],
        [*curve(2.0, 1.6, 1.4)[1:], run(0.25, None)],
        [*curve(2.0, 1.6, 1.4)[1:], run(0.25, 2.0, recipe="qlora")],
        [*curve(2.0, 1.6, 1.4)[1:], run(0.25, 2.0, base_model="other")],
        [*curve(2.0, 1.6, 1.4)[1:], run(0.25, 2.0, dataset_id="another")],
        [*curve(2.0, 1.6, 1.4)[1:], run(0.25, 2.0, overrides={"learning_rate": 0.1})],
        [*curve(2.0, 1.6, 1.4)[1:], run(0.25, 2.0, continues="model-1")],
    ],
    ids=["none", "two", "failed", "unmeasured", "recipe", "base", "dataset", "rate", "continues"],
)
def test_runs_that_cannot_be_compared_say_nothing(
    dataset: DatasetManifest, runs: list[RunRecord]
) -> None:
    """Three points of one kind are needed; the answer names the command that makes them."""
    found = rows_verdict(runs, dataset)
    assert found.verdict == "unknown"
    assert found.rows_needed is None
    assert "tonesmith advise --curve" in found.why


def test_newest_whole_curve_counts(dataset: DatasetManifest) -> None:
    """A curve that was made again replaces the older one; a single newer run does not."""
    old = curve(2.0, 1.6, 1.4)
    newer = [run(part, 1.0, at=1) for part in FRACTIONS]
    single = run(1.0, 9.0, at=2, overrides={"lora_rank": 2})
    found = rows_verdict([single, *newer, *old], dataset)
    assert [point.eval_loss for point in found.points] == [1.0, 1.0, 1.0]


def test_runs_of_a_curve_have_the_same_steps(dataset: DatasetManifest) -> None:
    """A part of the rows is read as often more; no model is made and nobody is kept waiting."""
    request = RunRequest(
        dataset_id=DATASET, priority=2, overrides=Overrides(num_train_epochs=5, lora_rank=4)
    )
    made = fractions(request, 5)
    assert [each.data_fraction for each in made] == [0.25, 0.5, 1.0]
    assert [each.overrides.num_train_epochs for each in made] == [20, 10, 5]
    assert {(each.publish, each.priority, each.overrides.lora_rank) for each in made} == {
        (False, 1, 4)
    }
    records = [
        RunRecord(
            id=f"run-{at}",
            state=JobState.DONE,
            request=each,
            created_at=BEGAN,
            eval_loss=math.exp(-at),
        )
        for at, each in enumerate(made)
    ]
    assert len(rows_verdict(records, dataset).points) == 3
    lowest = fractions(request.model_copy(update={"priority": -10}), 5)
    assert {each.priority for each in lowest} == {-10}
