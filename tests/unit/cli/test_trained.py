"""A training run in words."""

from typing import Any

import pytest

from contracts.job import Progress
from contracts.run import RunRecord
from fakes.tonesmith_services import RUN
from tonesmith.trained import details, ending, fitted, going_on, headline, measured

GIB = 1 << 30
STOP = {"reason": "flat", "step": 420, "best_step": 380, "saved_steps": 480}
FIT = {
    "batching": "packed",
    "cutoff_len": 1024,
    "micro_batch": 4,
    "accumulation": 2,
    "useful_ratio": 0.968,
    "card_bytes": 24 * GIB,
    "predicted_bytes": 22 * GIB,
    "probed_bytes": int(22.4 * GIB),
    "measured_bytes": int(22.3 * GIB),
}


def run(**more: Any) -> RunRecord:
    """Return a run."""
    return RunRecord.model_validate(RUN | more)


@pytest.mark.parametrize(
    ("reason", "words"),
    [("flat", "the loss is flat"), ("overfit", "overfits"), ("diverged", "rises for good")],
)
def test_early_end_is_told_with_its_steps(reason: str, words: str) -> None:
    """At which step of how many, why, and which step was taken."""
    told = ending(run(step=420, max_steps=900, stop=STOP | {"reason": reason}))
    assert told.startswith("stopped at step 420 of 900: ")
    assert words in told
    assert told.endswith("best step 380")


def test_planned_steps_are_known_where_the_record_ends_with_the_run() -> None:
    """The steps that were saved tell how many were planned."""
    assert "of 900:" in ending(run(step=420, max_steps=420, stop=STOP))


def test_other_ends_are_told_too() -> None:
    """To its last step, failed, cancelled; nothing while it goes on."""
    assert ending(run(best_step=8)) == "all 9 steps; best step 8"
    failed = run(state="failed", error={"code": "c", "message": "loss is nan"})
    assert ending(failed) == "failed at step 9: loss is nan"
    assert ending(run(state="cancelled")) == "cancelled at step 9"
    assert ending(run(state="running")) == ""


def test_fit_says_what_was_chosen_and_what_memory_it_took() -> None:
    """Batching, batch and the three figures of memory; only what is known."""
    assert fitted(run(fit=FIT).fit) == (  # type: ignore[arg-type]
        "packed, micro-batch 4 x accumulation 2, cutoff 1024 tokens, 97% of the tokens useful; "
        "memory predicted 22.0, probed 22.4, measured 22.3 of 24.0 GiB"
    )
    assert fitted(run(fit={"batching": "grouped"}).fit) == "grouped"  # type: ignore[arg-type]


@pytest.mark.parametrize("prefix", ["", "predict_", "eval_"])
def test_metrics_are_named_as_people_name_them(prefix: str) -> None:
    """In one order, whoever measured them; what is unknown is left out."""
    found = {f"{prefix}rouge-l": 61.23456, f"{prefix}bleu-4": 45.0, "perplexity": 1.14, "x": 1.0}
    assert measured(found) == "perplexity 1.14, BLEU-4 45, ROUGE-L 61.23"


def test_run_without_extras_has_few_details() -> None:
    """An old record, or a run on a CPU, shows no empty lines; every note has its own."""
    assert details(run()) == [("ended", "all 9 steps")]
    assert [name for name, _ in details(run(notes=["a", "b"]))] == ["ended", "note", "note"]


def test_headline_names_the_model_or_the_run() -> None:
    """A run without a model is known by its own id."""
    assert "tonesmith-20260102-aaaaaa" in headline(run())
    assert "[bold]run-1[/]" in headline(run(model_id=None))


def test_line_beside_the_bar_has_losses_and_time() -> None:
    """Losses first, then at most how long, then how long the loss has been flat."""
    known = {"loss": 0.12345, "eval_loss": 0.2, "grad_norm": 3.0, "plateau_steps": 40.0}
    figures = known | {"plateau_patience_steps": 120.0}
    told = going_on(Progress(stage="train", done=9, total=90, figures=figures), 240.0)
    assert told == "loss 0.123  held-out 0.2  ≤ 4 min left  flat 40/120"
    assert going_on(Progress()) == ""
