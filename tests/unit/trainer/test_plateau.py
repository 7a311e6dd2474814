"""When a loss curve says stop: curves with a known answer, and properties of any curve."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from repository import ROOT
from trainer.engine.plateau import Parameters, Plateau, Verdict, trend

CURVES = sorted((ROOT / "tests/data/curves").glob("*.json"))
RIGHT = 19  # of the twenty, at least
KNOWN_WRONG: set[str] = set()


def entries(train: list[list[float]], held_out: list[list[float]]) -> list[dict[str, Any]]:
    """Return the points of both curves in the order in which a Trainer logs them."""
    logged = [{"step": step, "loss": loss} for step, loss in train]
    measured = [{"step": step, "eval_loss": loss} for step, loss in held_out]
    return sorted(logged + measured, key=lambda entry: (entry["step"], "eval_loss" in entry))


def first_verdict(
    history: list[dict[str, Any]], parameters: Parameters
) -> tuple[int, Verdict] | None:
    """Return the first verdict and its step.

    As in a run, a verdict on a train loss waits for an evaluation of the same step, where there
    are evaluations at all.
    """
    plateau = Plateau(parameters)
    evaluates = any("eval_loss" in entry for entry in history)
    for entry in history:
        if "loss" in entry:
            verdict = plateau.train(entry["step"], entry["loss"])
            if verdict and not evaluates:
                return entry["step"], verdict
        elif verdict := plateau.evaluate(entry["step"], entry["eval_loss"]):
            return entry["step"], verdict
    return None


def answer(document: dict[str, Any]) -> str:
    """Return what is wrong with the decision on a curve, or nothing."""
    history = entries(document["train"], document["eval"])
    found = first_verdict(history, Parameters.of(document["parameters"]))
    expected = document["expected"]
    if found is None:
        return "" if expected["reason"] is None else "did not stop"
    step, verdict = found
    if verdict.reason not in (expected["reason"], expected.get("or")):
        return f"stopped at step {step}: {verdict}"
    return "" if expected["from"] <= step <= expected["to"] else f"stopped at step {step}"


def test_at_least_nineteen_of_twenty_curves_are_decided_right() -> None:
    """Flat, slow, noisy, double descent, overfit, diverging, warm-up: the known answer is given."""
    documents = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in CURVES}
    assert len(documents) == 20
    assert sum(name.startswith("recorded-") for name in documents) >= 5
    wrong = {name: said for name, each in documents.items() if (said := answer(each))}
    assert len(documents) - len(wrong) >= RIGHT, wrong
    assert set(wrong) == KNOWN_WRONG, wrong


@pytest.mark.parametrize("path", CURVES, ids=lambda path: path.stem)
def test_curve_says_how_it_was_made(path: Path) -> None:
    """A curve without its origin proves nothing."""
    document = json.loads(path.read_text(encoding="utf-8"))
    assert len(document["made"]) > 40
    steps = [step for step, _ in document["train"]]
    assert steps == sorted(set(steps))


LOSSES = some.lists(some.floats(0.01, 100), min_size=5, max_size=120)
SMALL = Parameters(half_life=4, window=6, patience=10, min_steps=20, eval_patience=2)


def both(losses: list[float]) -> list[dict[str, Any]]:
    """Return a history with a train loss at every step and a held-out loss at every third."""
    held_out = [[step, loss] for step, loss in enumerate(losses, 1) if step % 3 == 0]
    return entries([[step, loss] for step, loss in enumerate(losses, 1)], held_out)


@given(LOSSES, some.integers(-20, 20))
def test_scale_of_the_loss_changes_nothing(losses: list[float], power: int) -> None:
    """A loss in other units is decided alike (powers of two, which change no rounding)."""
    scaled = [math.ldexp(loss, power) for loss in losses]
    before, after = first_verdict(both(losses), SMALL), first_verdict(both(scaled), SMALL)
    assert (before and (before[0], before[1].reason)) == (after and (after[0], after[1].reason))


@given(LOSSES)
def test_nothing_is_decided_before_the_minimum(losses: list[float]) -> None:
    """Whatever the curve, the first steps are left alone."""
    found = first_verdict(both(losses), SMALL)
    assert found is None or found[0] >= SMALL.min_steps


@given(LOSSES, some.integers(1, 60))
def test_resumed_run_decides_the_same(losses: list[float], cut: int) -> None:
    """The Trainer's log of the steps before is all that a resumed run needs."""
    history = both(losses)
    whole, resumed = Plateau(SMALL), Plateau(SMALL)
    whole.replay(history)
    resumed.replay(history[:cut])
    resumed.replay(history[cut:])
    assert whole.figures() == resumed.figures()
    assert whole.verdict() == resumed.verdict()


@given(some.floats(0.1, 10), some.floats(0.02, 0.2))
def test_clear_fall_is_never_flat(start: float, rate: float) -> None:
    """A loss that falls by two per cent a step or more goes on."""
    losses = [start * math.exp(-rate * step) for step in range(100)]
    assert first_verdict(both(losses), SMALL) is None


@given(some.floats(0.1, 10))
def test_constant_loss_is_flat_after_the_patience(level: float) -> None:
    """Without any movement it stops once the (double) patience is over, not much later."""
    found = first_verdict(both([level] * 60), SMALL)
    assert found is not None
    assert found[1].reason == "flat"
    assert found[0] <= SMALL.min_steps + 2 * SMALL.patience + 3


def test_score_is_the_documented_one() -> None:
    """The figures are those of the metrics: EMA, improvement, noise, plateau steps."""
    plateau = Plateau(Parameters(half_life=1, window=2, patience=3))
    for step, loss in ((1, 4.0), (2, 2.0), (3, 2.0)):
        plateau.train(step, loss)
    figures = plateau.figures()
    first, second = 4.0, (4 * 0.25 + 2 * 0.5) / 0.75
    third = (4 * 0.125 + 2 * 0.25 + 2 * 0.5) / 0.875
    assert figures["loss_smoothed"] == pytest.approx(third)
    assert figures["loss_improvement_ratio"] == pytest.approx((first - third) / first)
    residuals = [2.0 - first, 2.0 - second]
    spread = math.sqrt((residuals[0] ** 2 * 0.25 + residuals[1] ** 2 * 0.5) / 0.75)
    assert figures["loss_noise_ratio"] == pytest.approx(spread / third)
    assert figures["plateau_steps"] == 0
    plateau.evaluate(3, 5.0)
    plateau.evaluate(6, 5.1)
    assert plateau.figures()["evals_since_best"] == 1
    assert plateau.figures()["best_eval_loss"] == 5.0


def test_parameters_of_a_plan_keep_the_defaults_of_the_rest() -> None:
    """A plan may leave values out, and may hold what this version does not know."""
    assert Parameters.of(None) == Parameters()
    assert Parameters.of({"patience": 7, "unknown": 1}) == Parameters(patience=7)


def test_trend_of_a_straight_line_has_no_error() -> None:
    """The fall is relative to the mean, over the stretch that is asked for."""
    found = trend([(step, 20.0 - step) for step in range(11)], 10)
    assert found.fall == pytest.approx(10 / 15)
    assert found.error == pytest.approx(0, abs=1e-9)
    assert found.falls
    assert not trend([(1, 1.0)], 10).falls
